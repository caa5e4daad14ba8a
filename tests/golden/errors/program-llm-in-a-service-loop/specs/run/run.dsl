service_loop Desk {
  on request(text: string) {
    loop 3 {
      if text == "help" {
        answer = llm.query { prompt: "Help with {{text}}" }
      }
    }
    emit done
  }
}

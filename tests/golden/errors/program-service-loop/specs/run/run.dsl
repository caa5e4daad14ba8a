service_loop Desk {
  on request(text: string, text: string) { emit done }
  on request(x) { emit done }
  no error(e) { emit log }
  max_step: 3
}
service_loop Empty { }

effect Store {
  operation read(path: String) -> String;
  operation put(path: String, text: String) -> Unit;
}
workflow Lend(book: String) {
  step one {
    text = perform Store.raed(book)
    perform Shop.read(book)
    perform Store.read(name=book)
    perform Store.put(book)
    perform Store.read(3)
    perform Store.read(book, book)
    perform text
  }
}

component Librarian {
  descripton: "Lends."
  state Desk { queue: List<Strin>, open }
  function greet(name: String) -> String { return "Hello" }
  function greet(name: String) -> String { return "Hi" }
  fnction find(title: String) -> Book
  invariant: "A book is lent once."
  workflow Lend(book: String) {
    step one { x = perform Librarian.gret(book) }
  }
}

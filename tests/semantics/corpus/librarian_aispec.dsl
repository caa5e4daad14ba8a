meta {
    name = "Library"
    version = "1.0"
    description = "Keeps books"
}

// --- contract ---
contract Scope {
    supported_intents = [
        "Lending: giving out books.",
        "Returning: taking them back."
    ]
    success_criteria = [ "No book is lost." ]
    autonomy {
        mode = "autonomous"
        loop_interval = "2s"
        max_steps = 50
    }
}

system Library {
    struct Book { title: String, isbn: String; copies: Number }

    effect Store {
        description: "The shelf.";
        operation read(path: String) -> String { tool: read }
        operation list(folder: String) -> List<String>;
        operation log(thought: String, plan: Map<String, Any>, parts: List[Book]) -> Unit;
        operation nested(m: Map<String, List<Int>>) -> Result<Map<String, Any>>;
    }

    component Librarian {
        description: "Lends and takes back.";
        state Desk {
            queue: List[String]
            open: Map[String, Boolean]   # by room
        }
        function greet(name: String) -> String {
            return "Welcome, " + name
        }
        function find(title: String?) -> List<Book>;
        invariant: "A book is lent once."
        invariant: "The queue is fair."
        workflow Lend(book: Book, to: String) {
            intent = "Lend " + book.title
            step Check {
                shelf = perform Store.read(book.isbn)
                names = perform Store.list("shelf")
                first = names[0]
            }
            step Loop {
                loop {
                    perform Store.log("lent", plan={}, parts=[])
                    if (first == to) break
                    if len(names) > 3 { continue }
                }
            }
        }
    }

    protocol Opening {
        step 1_Doors { action: "Unlock the doors"; expected: "They open"; failure_mode: "They do not" }
        step 2_Shelves { action: "Count", check: "nothing is missing" }
        step 3_Files: tool.run { cmd: "ls shelf" }
    }

    workflow {
        step ask:
            Ask about:
                - books
                - shelves

        step close:
            emit report
    }
}

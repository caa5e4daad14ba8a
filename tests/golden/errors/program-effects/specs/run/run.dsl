effect Files {
  description: "Files."
  operation read(path: String) -> Strin { tool: raed }
  operation write(file: String, content: String) { tool: write }
  operation read(path: String) -> String
  opration list(folder: String) -> [String]
}
effect Empty { description: "Nothing." }
effect Files { operation a() -> Unit }

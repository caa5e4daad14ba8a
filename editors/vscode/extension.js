// Starts `spak lsp` for spec files. Knows where the program is, and nothing of the language.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = function () {
  const command = workspace.getConfiguration("spak").get("command", "spak");
  const documents = [
    { scheme: "file", language: "spak" },
    { scheme: "file", pattern: "**/SPEC.*.md" },
  ];
  client = new LanguageClient("spak", "SPAK", { command, args: ["lsp"] }, { documentSelector: documents });
  return client.start();
};

exports.deactivate = () => client && client.stop();

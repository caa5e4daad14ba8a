meta { name: add }

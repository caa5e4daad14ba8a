task T {
  step s1 {
    tool.run { cmd: ["python", "-c", "import sys; print(1); sys.exit('no such shape: 7')"] }
  }
}

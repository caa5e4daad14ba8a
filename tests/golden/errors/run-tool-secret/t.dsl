contract { env: ["HOME", "DEPLOY_TOKEN"] }
task T {
  step s1 {
    tool.run { cmd: ["true"] }
  }
}

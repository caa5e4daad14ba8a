model {
  type Plan matches { level: strng, why: Reson, tries: [int], tries: int }
  type Reason matches { text: string, ok }
  type Plan matches { level: string }
  type string matches { x: int }
  type Sum = 1 + 2
  state plan: Pln
  state plan: Plan
  state x = plan.level
}

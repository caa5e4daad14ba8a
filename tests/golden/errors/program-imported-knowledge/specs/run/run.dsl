trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
use laws
import "more.dsl"
use lost
import "../../../x.dsl"
task Walk { step one: tool.run { cmd: "date" } }

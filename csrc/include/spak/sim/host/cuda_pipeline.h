// <cuda_pipeline.h>: the primitives of pipelines. Knows nothing of <cuda/pipeline>.
#pragma once
#include <cuda_pipeline_primitives.h>

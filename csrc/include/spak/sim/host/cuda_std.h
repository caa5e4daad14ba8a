// cuda::std, where it is the host's own library. Knows nothing of threads.
#pragma once

namespace cuda::std {
using namespace ::std;
}

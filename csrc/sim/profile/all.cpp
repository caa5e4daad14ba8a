// The counters as one translation unit: the standard library's headers are parsed once.
#include "profile/profile.cpp"
#include "profile/requests.cpp"

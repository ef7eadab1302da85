internal import Glibc

/// Whether tests and programs were built with a sanitizer, whose own memory use makes measurements
/// of the programs' memory meaningless.
let isSanitized =
    unsafe dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

/// The most descriptors that a sanitizer opens in a program of its own accord.
///
/// The thread sanitizer starts a symbolizer, to compare a report with the suppressions, and keeps
/// two pipes to it, which children would inherit.
let sanitizerDescriptorCount = unsafe dlsym(nil, "__tsan_init") != nil ? 2 : 0

import Glibc

/// Sets or removes a variable; call it only in an exit test, where no other thread reads it.
func setVariable(_ name: String, _ value: String?) {
    if let value {
        unsafe setenv(name, value, 1)
    } else {
        unsafe unsetenv(name)
    }
}

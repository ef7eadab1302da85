import Glibc

/// Sets a variable, or removes it; for a process of the test's own, where nobody else looks.
func setVariable(_ name: String, _ value: String?) {
    if let value {
        unsafe setenv(name, value, 1)
    } else {
        unsafe unsetenv(name)
    }
}

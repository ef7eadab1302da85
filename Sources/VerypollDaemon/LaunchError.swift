/// Why the daemon does not start, but for its configuration, or does not go on.
package struct LaunchError: Error, CustomStringConvertible {
    package let description: String
}

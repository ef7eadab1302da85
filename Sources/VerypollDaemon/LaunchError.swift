/// The reason why the daemon cannot start, other than its configuration, or cannot continue.
package struct LaunchError: Error, CustomStringConvertible {
    package let description: String
}

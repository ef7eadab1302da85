/// Ends the process with a finding unless `condition` is true.
///
/// Unlike `precondition`, it prints the finding in an optimized build as well.
public func require(_ condition: Bool, _ finding: @autoclosure () -> String) {
    if !condition { fatalError(finding()) }
}

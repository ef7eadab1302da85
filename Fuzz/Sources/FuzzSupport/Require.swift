/// Ends the process with a finding unless `condition` holds.
///
/// Unlike `precondition`, it says what it found in an optimized build as well.
public func require(_ condition: Bool, _ finding: @autoclosure () -> String) {
    if !condition { fatalError(finding()) }
}

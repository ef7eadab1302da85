internal import Console

/// Finds what mistyped names were meant to be, as long as that does not take too much time in all.
final class Suggestions {
    /// The most candidates that are looked at for one name.
    private static let candidateLimit = 256

    /// The pairs of bytes that are compared for one configuration at most: some ten milliseconds.
    private static let budget = 1 << 23

    private var left = Suggestions.budget

    /// The candidate that is like `name`, or `nil` if none is.
    ///
    /// Two names are alike if at most a third of the bytes, and at least one, differ; case does
    /// not count, and two neighbours that changed places count once. Names of more than 64 bytes
    /// are like none, and once the budget is used up, none is like any.
    func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        guard left > 0, name.utf8.count <= 64 else { return nil }
        let typed = Array(name.lowercased().utf8)
        let limit = max(1, typed.count / 3)
        var nearest: (name: String, distance: Int)?
        for candidate in candidates.prefix(Self.candidateLimit)
        where abs(candidate.utf8.count - typed.count) <= limit {
            left -= (typed.count + 1) * (candidate.utf8.count + 1)
            guard left > 0 else { return nil }
            let distance = Self.distance(typed, Array(candidate.lowercased().utf8))
            if distance <= limit, distance < nearest?.distance ?? .max {
                nearest = (candidate, distance)
            }
        }
        return nearest?.name
    }

    /// ` (did you mean "app"?)`, or nothing if no candidate is like `name`.
    func question(for name: String, among candidates: some Sequence<String>) -> String {
        nearest(to: name, among: candidates).map { " (did you mean \($0.quoted)?)" } ?? ""
    }

    /// The least number of insertions, deletions, replacements and swaps of neighbours between
    /// two texts, none of them within the characters of another.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (i, leftByte) in left.enumerated() {
            var row = [i + 1]
            for (j, rightByte) in right.enumerated() {
                let replacement = last[j] + (leftByte == rightByte ? 0 : 1)
                var least = min(row[j] + 1, last[j + 1] + 1, replacement)
                if i > 0, j > 0, leftByte == right[j - 1], left[i - 1] == rightByte {
                    least = min(least, beforeLast[j - 1] + 1)
                }
                row.append(least)
            }
            beforeLast = last
            last = row
        }
        return last[right.count]
    }
}

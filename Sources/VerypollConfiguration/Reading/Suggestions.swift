internal import Console

/// Finds the known names that mistyped names resemble, within a limited time.
final class Suggestions {
    /// The most candidates that are compared with one name.
    private static let candidateLimit = 256

    /// The most pairs of bytes that are compared for one configuration: about ten milliseconds.
    private static let budget = 1 << 23

    private var left = Suggestions.budget

    /// Returns the candidate that is most similar to a name, or `nil` if none is similar.
    ///
    /// Two names are similar if they differ in at most a third of the bytes, or in one byte. Case
    /// is ignored, and two swapped neighbors count as one difference. A name of more than 64 bytes
    /// has no similar candidate. No name has one after the budget is used up.
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

    /// Returns ` (did you mean "app"?)`, or an empty text if no candidate is similar.
    func question(for name: String, among candidates: some Sequence<String>) -> String {
        nearest(to: name, among: candidates).map { " (did you mean \($0.quoted)?)" } ?? ""
    }

    /// Returns the optimal string alignment distance: the least number of insertions, deletions,
    /// replacements and swaps of neighbors that turn one text into the other, each byte edited
    /// once.
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

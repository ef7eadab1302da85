internal import VerypollServer

/// An element that a sample is about, with the labels of the sample.
typealias Labeled<Element> = (labels: MetricLabels, element: Element)

/// Receives the families of metrics of a snapshot, one after the other, each with all its samples.
///
/// The name of a family ends with its unit, `seconds` or `bytes`, if it has one. The help text is a
/// sentence without quotes, backslashes and line breaks.
protocol MetricsWriter {
    /// Writes a family of counters, which only grow.
    ///
    /// - Parameters:
    ///   - name: The name without `_total`.
    ///   - help: The help text.
    ///   - elements: The elements to write samples of.
    ///   - value: Returns the value of an element, a number, or `nil` if it has none.
    mutating func counters<Element, Value: CustomStringConvertible>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Value?
    )

    /// Writes a family of gauges, which go up and down.
    ///
    /// The parameters are those of ``counters(_:_:_:_:)``.
    mutating func gauges<Element, Value: CustomStringConvertible>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Value?
    )

    /// Writes a metric that consists of labels alone; the name is without `_info`.
    mutating func info(_ name: String, _ help: String, _ labels: MetricLabels)

    /// Writes a family of histograms of durations, in seconds.
    ///
    /// The parameters are those of ``counters(_:_:_:_:)``.
    mutating func histograms<Element, Scale>(
        _ name: String,
        _ help: String,
        _ elements: [Labeled<Element>],
        _ value: (Element) -> Histogram<Scale>
    )
}

/// Converts microseconds to seconds, the base unit of Prometheus for time.
func seconds(_ microseconds: UInt64) -> Double {
    Double(microseconds) / 1_000_000
}

internal import FuzzSupport
internal import SystemPackage
internal import Verypoll

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// Compares the answers to arbitrary client input with a simple model of the protocol: each call is
/// answered once and in order, unless it is oneway; after an invalid message, nothing is answered.
///
/// The control server uses real sockets, with chunks that the input's bytes choose. The byte 1,
/// which no message may contain, is expanded to very many spaces.
private let target = FuzzTarget(seeds: seeds) { input in
    let bytes = input.indices.map { input[$0] }
    let stream = Reading.expand(bytes)
    do throws(Errno) {
        var conversation = try Conversation(seed: bytes.reduce(7) { $0 &* 31 &+ UInt64($1) })
        let answers = try conversation.answers(to: stream)
        Reading(stream).check(answers)
    } catch {
        require(false, "the conversation failed: \(error)")
    }
}

private let seeds = [
    #"{"method":"io.verypoll.Daemon.GetStatus"}"# + "\0"
        + #"{"method":"org.varlink.service.GetInfo","parameters":null}"# + "\0",
    #"{"method":"io.verypoll.Daemon.ListSessions","parameters":{"limit":3,"peer":"a"}}"# + "\0"
        + #"{"method":"io.verypoll.Daemon.KillSession","parameters":{"id":7}}"# + "\0",
    #"{"method":"io.verypoll.Daemon.GetMetrics","oneway":true}"# + "\0"
        + #"{"method":"io.systemd.service.Ping","more":true}"# + "\0{",
    #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"#
        + #""io.verypoll.Daemon"}}"# + "\0" + #"{"method":"a.B","upgrade":true}"# + "\0",
    "\u{1}" + #"{"method":"io.verypoll.Daemon.ListListeners","parameters":{"a":1e400}}"# + "\0\0",
    #"{"method":"io.systemd.Metrics.List","more":true}"# + "\0"
        + #"{"method":"io.systemd.Metrics.Describe"}"# + "\0",
    #"{"method":"io.verypoll.Daemon.ListUpstreams","x.y":[[1,-0.5e3,"\ud83d\ude00"]]}"# + "\0",
]

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe target.run(bytes, count)
}

@_cdecl("LLVMFuzzerCustomMutator")
func mutate(
    _ bytes: UnsafeMutablePointer<UInt8>,
    _ count: Int,
    _ capacity: Int,
    _ random: CUnsignedInt
) -> Int {
    unsafe target.mutate(bytes, count, capacity, random)
}

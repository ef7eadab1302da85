import Verypoll

func startTimer(count: Int) throws {
    let poll = try Poll()
    let timer = try TimerSource()
    try poll.registry.register(timer, token: Token(1), interest: .readable)
    for _ in 0..<count {
        try timer.start(after: .seconds(60))
        try timer.cancel()
    }
}

func runTimer(count: Int) throws {
    var polling = try Polling()
    let timer = try TimerSource()
    try polling.poll.registry.register(timer, token: Token(1), interest: .readable)
    for _ in 0..<count {
        try timer.start(after: .nanoseconds(1))
        try polling.expectOne()
        let expirations = try timer.expirations()
        precondition(expirations == 1)
    }
}

namespace Telemetry.Simulation.Faults;

/// <summary>Everything that goes wrong in a simulated world.</summary>
internal enum Fault
{
    // At each chance, with a probability: see Mix.Chance.
    ConnectionRefused,
    Disconnected,
    MessageLost,
    MessageDelayed,
    MessageDoubled,
    MessageReordered,
    AckLost,
    ReceiptLost,
    DownLost,
    DownDoubled,
    DownDelayed,
    BusMessageLost,
    BusMessageDoubled,
    BusMessageDelayed,
    LogCallFailed,
    LogAnswerLost,
    TransactionFailedBefore,
    TransactionFailedAfter,
    DatabaseCallFailed,
    KafkaCallFailed,
    KafkaTransactionRefused,
    AgentCrashAtCommit,
    ProcessorCrashAtCommit,

    // From time to time, at a rate: see Mix.PerMinute.
    LinkCut,
    AgentCrash,
    PowerCut,
    IngressCrash,
    ProcessorCrash,
    RelayCrash,
    LogDisconnected,
    LogWiped,
    LogPurged,
    LogExpired,
    LogPutBack,
    DatabasePutBack,
    SecondOwner,
    OutboxPutBack,
}

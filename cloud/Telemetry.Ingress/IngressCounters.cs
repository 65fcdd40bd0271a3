using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Ingress;

/// <summary>What happened at one ingress since it started. Any thread may count and read.</summary>
public sealed class IngressCounters
{
    private readonly long[] _counts = new long[Enum.GetValues<IngressEvent>().Length];

    /// <summary>How often <paramref name="what"/> happened.</summary>
    public long this[IngressEvent what] => Volatile.Read(ref _counts[(int)what]);

    /// <summary>Counts it.</summary>
    public void Count(IngressEvent what, long times = 1) => Interlocked.Add(ref _counts[(int)what], times);

    /// <summary>Makes the instruments; docs/reference/metrics.md lists them and every event.</summary>
    public void Publish(Meter meter)
    {
        meter.Counter(
            "telemetry.ingress.events", "{event}", "What the ingress did, by kind", "event",
            [.. Enum.GetValues<IngressEvent>().Where(what => what != IngressEvent.ByteAppended)
                .Select(what => (Words(what.ToString()), (Func<long>)(() => this[what])))]);
        meter.Counter(
            "telemetry.ingress.appended", "By", "Bytes that the log took", () => this[IngressEvent.ByteAppended]);
    }

    // FrameAppended -> frame_appended
    private static string Words(string name) => string.Concat(name.Select((letter, i) =>
        char.IsUpper(letter) ? $"{(i > 0 ? "_" : "")}{char.ToLowerInvariant(letter)}" : $"{letter}"));
}

/// <summary>What an ingress counts. Names become metrics, see docs/reference/metrics.md.</summary>
public enum IngressEvent
{
    /// <summary>A frame is in the log and was acknowledged with its receipt.</summary>
    FrameAppended,

    /// <summary>A schema is in the log and was acknowledged.</summary>
    SchemaAppended,

    /// <summary>A schema waited: its gateway brought more a second than it may.</summary>
    SchemaDelayed,

    /// <summary>The log called an append a duplicate.</summary>
    AppendDuplicate,

    /// <summary>Bytes appended, delivery prefix included.</summary>
    ByteAppended,

    /// <summary>An append failed and was tried again with the same message id.</summary>
    AppendRetried,

    /// <summary>A frame or schema was refused: malformed or broken checksum.</summary>
    FrameMalformed,

    /// <summary>A frame or schema was refused: its stream is full.</summary>
    LogFull,

    /// <summary>A frame or schema was refused: the log was out of reach for too long.</summary>
    LogOutOfReach,

    /// <summary>A hello reached the partition's owner.</summary>
    HelloSaid,

    /// <summary>A hello was refused: malformed.</summary>
    HelloMalformed,

    /// <summary>A hello was refused: nobody owns the partition now, or NATS is out of reach.</summary>
    HelloWithoutOwner,

    /// <summary>A publish or subscription was refused: not the gateway's topic.</summary>
    TopicForeign,

    /// <summary>A publish was refused: no such topic.</summary>
    TopicUnknown,

    /// <summary>A publish of QoS 0 was thrown away: nothing would acknowledge it, so nobody would know.</summary>
    Qos0Refused,

    /// <summary>A message went down to a session.</summary>
    DownSent,

    /// <summary>A message to a session was dropped: the session took no more and newer ones came.</summary>
    DownDropped,

    /// <summary>A kept stored-ack was thrown away because a later answer says all of it.</summary>
    DownCoalesced,

    /// <summary>A session was opened.</summary>
    SessionOpened,

    /// <summary>A session was closed.</summary>
    SessionClosed,

    /// <summary>A session was closed: its gateway had opened more than it may have, and this was the oldest.</summary>
    SessionDisplaced,

    /// <summary>A connection was refused: wrong password, certificate or client id.</summary>
    ConnectRefused,

    /// <summary>A connection was refused: NATS is out of reach.</summary>
    ConnectUnavailable,

    /// <summary>A password that was not remembered was checked.</summary>
    PasswordChecked,

    /// <summary>A connection was refused unchecked: its sender is paused for wrong passwords.</summary>
    ConnectUnchecked,

    /// <summary>A connection was refused: as many passwords wait to be checked as may wait.</summary>
    ConnectBusy,
}

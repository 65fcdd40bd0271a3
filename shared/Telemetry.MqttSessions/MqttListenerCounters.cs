using System.Diagnostics.Metrics;

namespace Telemetry.MqttSessions;

/// <summary>What a listener has seen since it was made. Counts only rise; read them from any thread.</summary>
public sealed class MqttListenerCounters
{
    private readonly long[] _refused = new long[256];
    private readonly long[] _protocolErrors = new long[256];
    private long _connectionsAccepted;
    private long _connectionsOverLimit;
    private long _connectTimeouts;
    private long _tlsFailures;
    private long _unauthorizedPublishes;
    private long _refusedSubscriptions;
    private long _takeOvers;
    private long _keepAliveTimeouts;
    private long _stalledOutputs;
    private long _applicationErrors;
    private long _messagesReceived;

    /// <summary>Connections that got a successful CONNACK.</summary>
    public long ConnectionsAccepted => Interlocked.Read(ref _connectionsAccepted);
    /// <summary>Sockets closed at once because ConnectionsMax was reached.</summary>
    public long ConnectionsOverLimit => Interlocked.Read(ref _connectionsOverLimit);
    /// <summary>Connections that were not established within ConnectTimeout.</summary>
    public long ConnectTimeouts => Interlocked.Read(ref _connectTimeouts);
    /// <summary>TLS handshakes that failed.</summary>
    public long TlsFailures => Interlocked.Read(ref _tlsFailures);
    /// <summary>Packets larger than taken (0x95).</summary>
    public long Oversized => ProtocolErrors(MqttReasonCode.PacketTooLarge);
    /// <summary>Messages that AuthorizePublish refused.</summary>
    public long UnauthorizedPublishes => Interlocked.Read(ref _unauthorizedPublishes);
    /// <summary>Filters that were not granted.</summary>
    public long RefusedSubscriptions => Interlocked.Read(ref _refusedSubscriptions);
    /// <summary>Sessions that another connection with the same client identifier took over.</summary>
    public long TakeOvers => Interlocked.Read(ref _takeOvers);
    /// <summary>Sessions that were silent for 1.5 times their keep-alive.</summary>
    public long KeepAliveTimeouts => Interlocked.Read(ref _keepAliveTimeouts);
    /// <summary>Sessions whose client did not read for OutputStallTimeout.</summary>
    public long StalledOutputs => Interlocked.Read(ref _stalledOutputs);
    /// <summary>Calls into the application that threw.</summary>
    public long ApplicationErrors => Interlocked.Read(ref _applicationErrors);
    /// <summary>Messages handed to PublishedAsync.</summary>
    public long MessagesReceived => Interlocked.Read(ref _messagesReceived);

    /// <summary>Connections refused with this reason code in the CONNACK.</summary>
    public long Refused(MqttReasonCode reasonCode) => Interlocked.Read(ref _refused[(byte)reasonCode]);

    /// <summary>
    /// Connections ended for broken bytes or a broken limit, by the reason code that the client was told.
    /// </summary>
    public long ProtocolErrors(MqttReasonCode reasonCode) => Interlocked.Read(ref _protocolErrors[(byte)reasonCode]);

    /// <summary>Makes the instruments; docs/reference/metrics.md lists them.</summary>
    public void Publish(Meter meter)
    {
        meter.CreateObservableCounter(
            "telemetry.mqtt.messages", () => MessagesReceived, "{message}", "Messages taken from sessions");
        meter.CreateObservableCounter(
            "telemetry.mqtt.publishes.refused", () => UnauthorizedPublishes, "{message}",
            "Messages refused before they were taken: QoS 0");
        meter.CreateObservableCounter(
            "telemetry.mqtt.subscriptions.refused", () => RefusedSubscriptions, "{subscription}",
            "Filters that were not granted");
        meter.CreateObservableCounter(
            "telemetry.mqtt.application.errors", () => ApplicationErrors, "{error}",
            "Calls into the ingress that failed");
        meter.CreateObservableCounter(
            "telemetry.mqtt.refused", () => ByCode(Refused), "{connection}",
            "Connections refused, by the CONNACK's reason code");
        meter.CreateObservableCounter(
            "telemetry.mqtt.protocol.errors", () => ByCode(ProtocolErrors), "{connection}",
            "Connections ended for broken bytes or limits, by reason code");
        meter.CreateObservableCounter(
            "telemetry.mqtt.ended",
            () => new Measurement<long>[]
            {
                new(TakeOvers, Tag("why", "taken_over")), new(KeepAliveTimeouts, Tag("why", "keep_alive")),
                new(StalledOutputs, Tag("why", "output_stalled")), new(ConnectTimeouts, Tag("why", "connect_timeout")),
                new(TlsFailures, Tag("why", "tls")), new(ConnectionsOverLimit, Tag("why", "over_limit")),
            },
            "{connection}", "Connections ended or turned away, by why");
    }

    internal void CountAccepted() => Interlocked.Increment(ref _connectionsAccepted);
    internal void CountOverLimit() => Interlocked.Increment(ref _connectionsOverLimit);
    internal void CountTlsFailure() => Interlocked.Increment(ref _tlsFailures);
    internal void CountConnectTimeout() => Interlocked.Increment(ref _connectTimeouts);
    internal void CountUnauthorizedPublish() => Interlocked.Increment(ref _unauthorizedPublishes);
    internal void CountRefusedSubscription() => Interlocked.Increment(ref _refusedSubscriptions);
    internal void CountApplicationError() => Interlocked.Increment(ref _applicationErrors);
    internal void CountMessage() => Interlocked.Increment(ref _messagesReceived);

    internal void Count(MqttCloseReason reason)
    {
        switch (reason.Kind)
        {
            case MqttCloseKind.Refused: Interlocked.Increment(ref _refused[(byte)reason.ReasonCode]); break;
            case MqttCloseKind.ProtocolError:
                Interlocked.Increment(ref _protocolErrors[(byte)reason.ReasonCode]);
                break;
            case MqttCloseKind.TakenOver: Interlocked.Increment(ref _takeOvers); break;
            case MqttCloseKind.KeepAliveTimeout: Interlocked.Increment(ref _keepAliveTimeouts); break;
            case MqttCloseKind.ConnectTimeout: CountConnectTimeout(); break;
            case MqttCloseKind.OutputStalled: Interlocked.Increment(ref _stalledOutputs); break;
        }
    }

    // Codes that were never told show no series.
    private static IEnumerable<Measurement<long>> ByCode(Func<MqttReasonCode, long> count) =>
        from code in Enum.GetValues<MqttReasonCode>()
        let value = count(code)
        where value > 0
        select new Measurement<long>(value, Tag("code", $"0x{(byte)code:x2}"));

    private static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);
}

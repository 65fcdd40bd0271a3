using System.Diagnostics.Metrics;

namespace Telemetry.Streams.JetStream;

/// <summary>What happened on a connection to NATS. The values only grow; any thread may read them.</summary>
public sealed class NatsCounters : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _bytesReceived;
    private long _bytesSent;
    private long _timeouts;
    private long _unanswered;
    private long _links;

    /// <summary>Begins to count the bytes that the client library of this process sends and receives.</summary>
    public NatsCounters()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name is "nats.client.sent.bytes" or "nats.client.received.bytes")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, bytes, _, _) => Interlocked.Add(
            ref instrument.Name == "nats.client.sent.bytes" ? ref _bytesSent : ref _bytesReceived, bytes));
        _listener.Start();
    }

    /// <summary>Bytes that this process has read from NATS servers.</summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>Bytes that this process has written to NATS servers.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Appends that were under way when a link broke; the server may have stored some of them.</summary>
    public long AppendsUnanswered => Volatile.Read(ref _unanswered);

    /// <summary>Links established after the first.</summary>
    public long Reconnects => Math.Max(0, Volatile.Read(ref _links) - 1);

    /// <summary>Requests and appends that ran out of time.</summary>
    public long RequestTimeouts => Volatile.Read(ref _timeouts);

    /// <summary>
    /// Makes the instruments, and one that says whether the connection <paramref name="isConnected"/>;
    /// docs/reference/metrics.md lists them.
    /// </summary>
    public void Publish(Meter meter, Func<bool> isConnected)
    {
        meter.CreateObservableGauge(
            "telemetry.nats.connected", () => isConnected() ? 1L : 0, null, "1 while a server is ready");
        meter.CreateObservableCounter(
            "telemetry.nats.reconnects", () => Reconnects, "{reconnect}", "Links established after the first");
        meter.CreateObservableCounter(
            "telemetry.nats.request.timeouts", () => RequestTimeouts, "{request}",
            "Requests and appends that ran out of time");
        meter.CreateObservableCounter(
            "telemetry.nats.publishes.discarded", () => AppendsUnanswered, "{message}",
            "Appends under way when a link broke");
        meter.CreateObservableCounter("telemetry.nats.sent", () => BytesSent, "By", "Bytes written to servers");
        meter.CreateObservableCounter(
            "telemetry.nats.received", () => BytesReceived, "By", "Bytes read from servers");
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    internal void CountUnanswered(int appends) => Interlocked.Add(ref _unanswered, appends);

    internal void CountLink() => Interlocked.Increment(ref _links);

    internal void CountTimeout() => Interlocked.Increment(ref _timeouts);
}

using Telemetry.Ingress.Access;
using Telemetry.Ingress.Down;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Streams;

namespace Telemetry.Ingress;

/// <summary>
/// The work of an ingress, without a transport: takes a gateway's publishes, checks them, passes frames to the log and
/// hellos to the owner, and only then returns the verdict that becomes the PUBACK. It keeps nothing: what it has not
/// acknowledged, the agent still holds. Any number of calls, for any gateways, may run at once.
/// </summary>
public sealed class IngressCore(
    IFrameLog log, IControlChannel control, IngressOptions options, TimeProvider time, IngressCounters counters)
{
    private readonly FrameAppender _appender = new(log, options, time, counters);
    private readonly SchemaPace _schemaPace = new(options, time);
    private volatile string? _closed;

    /// <summary>The traffic that is refused for no fault of its gateway.</summary>
    public RefusedTraffic Refused { get; } = new(log, time);

    /// <summary>Its limits.</summary>
    public IngressOptions Options => options;

    /// <summary>
    /// Why nothing is accepted now (a repartition is under way); null when publishes are accepted. Every frame and
    /// hello is then refused with 0x83 and this reason, which is never the frame's fault: the agents keep what they
    /// have.
    /// </summary>
    public string? Closed
    {
        get => _closed;
        set => _closed = value;
    }

    /// <summary>
    /// Handles one publish of an authenticated gateway. <paramref name="payload"/> is read until the call completes,
    /// which may take as long as <see cref="IngressOptions.AppendPatience"/>: the withheld PUBACK slows the agent down.
    /// </summary>
    public ValueTask<IngressVerdict> PublishedAsync(
        GatewayId gateway, string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        switch (IngressTopic.Read(gateway, topic, out var lane))
        {
            case IngressTopicKind.Lane:
                return FrameAsync(gateway, lane, payload, cancellationToken);
            case IngressTopicKind.Hello:
                return HelloAsync(gateway, payload, cancellationToken);
            case IngressTopicKind.Unknown:
                counters.Count(IngressEvent.TopicUnknown);
                return new(new IngressVerdict(IngressVerdict.TopicUnknown, null, "no such topic"));
            default:
                counters.Count(IngressEvent.TopicForeign);
                return new(new IngressVerdict(IngressVerdict.NotAuthorized, null, "not a topic of this gateway"));
        }
    }

    /// <summary>
    /// Passes messages for the gateway to <paramref name="sendDown"/>, from the time this returns (before the CONNACK)
    /// until the result is disposed. <paramref name="sendDown"/> may keep the bytes, must not wait, and returns false
    /// when it accepts no more now; see <see cref="DownQueue"/> for what happens then. Throws <see
    /// cref="FrameLogException"/>.
    /// </summary>
    public async ValueTask<IAsyncDisposable> OpenSessionAsync(
        GatewayId gateway, Func<ReadOnlyMemory<byte>, bool> sendDown, CancellationToken cancellationToken) =>
        await DownSession.OpenAsync(control, gateway, sendDown, options, time, counters, cancellationToken);

    private async ValueTask<IngressVerdict> FrameAsync(
        GatewayId gateway, Lane lane, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        IngressMessage message;
        try
        {
            message = IngressMessage.Read(gateway, lane, payload.Span);
        }
        catch (WireFormatException e)
        {
            counters.Count(IngressEvent.FrameMalformed);
            return new(IngressVerdict.Malformed, null, e.Message);
        }

        if (_closed is { } closed)
        {
            counters.Count(IngressEvent.LogOutOfReach);
            return new(IngressVerdict.Unavailable, null, closed);
        }

        if (message.IsSchema && _schemaPace.Take(gateway) is { Ticks: > 0 } wait)
        {
            counters.Count(IngressEvent.SchemaDelayed);
            await Task.Delay(wait, time, cancellationToken);
        }

        // The order of durability: the log's acknowledgement first, the PUBACK with its receipt after it.
        var stream = lane.Stream();
        var since = time.GetTimestamp();
        try
        {
            var append = await _appender.AppendAsync(
                gateway.Partition(options.Partitions), stream, gateway, message.MessageId, payload, cancellationToken);
            Trace(gateway, message, stream, payload, append.Sequence, null, since);
            counters.Count(message.IsSchema ? IngressEvent.SchemaAppended : IngressEvent.FrameAppended);
            counters.Count(IngressEvent.ByteAppended, payload.Length);
            counters.Count(IngressEvent.AppendDuplicate, append.Duplicate ? 1 : 0);
            return new(IngressVerdict.Success, new Receipt(stream, append.Sequence).PropertyValue, null);
        }
        catch (FrameLogException e) when (e.IsFull)
        {
            Trace(gateway, message, stream, payload, 0, e.Message, since);
            counters.Count(IngressEvent.LogFull);
            Refused.Frame(gateway.Partition(options.Partitions), stream, payload.Length, e.Message);
            return new(IngressVerdict.Full, null, e.Message);
        }
        catch (FrameLogException e)
        {
            Trace(gateway, message, stream, payload, 0, e.Message, since);
            counters.Count(IngressEvent.LogOutOfReach);
            Refused.Frame(gateway.Partition(options.Partitions), stream, payload.Length, e.Message);
            return new(IngressVerdict.Unavailable, null, e.Message);
        }
    }

    private void Trace(
        GatewayId gateway, in IngressMessage message, StreamKind stream, ReadOnlyMemory<byte> payload, long sequence,
        string? error, long since)
    {
        if (message.Frame is { } frame)
        {
            var partition = gateway.Partition(options.Partitions);
            IngressTracing.Appended(
                gateway, frame, StreamNames.Stream(partition, stream, log.Facts?.Generation ?? 1), payload.Length,
                sequence, error, since, time);
        }
    }

    private async ValueTask<IngressVerdict> HelloAsync(
        GatewayId gateway, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        try
        {
            CheckHello(payload.Span);
        }
        catch (WireFormatException e)
        {
            counters.Count(IngressEvent.HelloMalformed);
            return new(IngressVerdict.Malformed, null, e.Message);
        }

        var partition = gateway.Partition(options.Partitions);
        var reason = _closed;
        try
        {
            if (reason is null && await control.SayHelloAsync(partition, gateway, payload, cancellationToken))
            {
                counters.Count(IngressEvent.HelloSaid);
                return new(IngressVerdict.Success, null, null);
            }

            reason ??= $"nobody owns partition {partition} now";
        }
        catch (FrameLogException e)
        {
            reason = e.Message;
        }

        Refused.Hello(reason);
        counters.Count(IngressEvent.HelloWithoutOwner);
        return new(IngressVerdict.Unavailable, null, reason);
    }

    private static void CheckHello(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > Hello.BytesMax)
        {
            throw new WireFormatException(
                $"a hello of {payload.Length} bytes, at most {Hello.BytesMax} are allowed", 0);
        }

        Hello.Read(payload);
    }
}

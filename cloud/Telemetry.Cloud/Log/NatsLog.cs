using Telemetry.Cloud.Installations;
using Telemetry.Model;
using Telemetry.Nats;

namespace Telemetry.Cloud.Log;

/// <summary>
/// The log in JetStream: streams LIVE_p and BACKLOG_p in files, which refuse new messages at their byte limit. Any
/// thread may call.
/// </summary>
internal sealed class NatsLog(JetStreamContext jetStream, NatsLogOptions options, InstallationFacts? facts = null)
    : ILog
{
    private const string MessageIdHeader = "Nats-Msg-Id";

    private readonly LogMarker _marker = new(jetStream);
    private readonly StreamMaker _maker = new(jetStream, options);

    public InstallationFacts? Facts => facts;

    private InstallationFacts Known =>
        facts ?? throw new InvalidOperationException("the facts of the installation are not known yet");

    /// <summary>The same log, used by these facts.</summary>
    public NatsLog As(InstallationFacts known) => new(jetStream, options, known);

    public async ValueTask<LogInstallation?> FindInstallationAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _marker.FindAsync(cancellationToken);
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"read the description of {LogMarker.Stream}", e);
        }
    }

    public async Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken)
    {
        try
        {
            var told = await _marker.EnsureAsync(Known, options.Replicas, cancellationToken);
            await _maker.EnsureAsync(told, partition, StreamKind.Live, cancellationToken);
            await _maker.EnsureAsync(told, partition, StreamKind.Backlog, cancellationToken);
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"make the streams of partition {partition}", e);
        }
    }

    public async ValueTask<LogAppend> AppendAsync(
        int partition,
        StreamKind stream,
        GatewayId gateway,
        string messageId,
        ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken)
    {
        try
        {
            var ack = await jetStream.PublishAsync(
                Routes.FrameSubject(Known.Generation, Known.Partitions, partition, stream, gateway), data, messageId,
                ct: cancellationToken);
            return ack.Stream == Name(partition, stream)
                ? new LogAppend((long)ack.Sequence, ack.IsDuplicate)
                : throw new LogException(
                    $"stream {ack.Stream} takes what belongs to {Name(partition, stream)}");
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"append to {Name(partition, stream)}", e);
        }
    }

    public async ValueTask<StreamState?> StateAsync(
        int partition, StreamKind stream, CancellationToken cancellationToken)
    {
        try
        {
            var info = await jetStream.FindStreamAsync(Name(partition, stream), cancellationToken);
            if (info is null)
            {
                return null;
            }

            StreamMaker.Check(info, Known);
            return new StreamState(
                (info.Created.UtcDateTime - DateTime.UnixEpoch).Ticks * 100,
                (long)(info.Messages == 0 ? info.LastSequence + 1 : info.FirstSequence),
                (long)info.LastSequence,
                (long)info.Bytes,
                info.Configuration.MaxBytes ?? 0);
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"state of {Name(partition, stream)}", e);
        }
    }

    public async ValueTask<LogMessage?> ReadAsync(
        int partition, StreamKind stream, long sequence, CancellationToken cancellationToken)
    {
        if (sequence < 1)
        {
            return null;
        }

        try
        {
            var message = await jetStream.GetMessageAsync(
                Name(partition, stream), (ulong)sequence, cancellationToken);
            return message is not null && Routes.TryGatewayOfSubject(message.Subject, out var gateway)
                ? new LogMessage(
                    gateway,
                    message.Headers.Find(MessageIdHeader) ?? "",
                    message.Data,
                    (long)message.Sequence,
                    message.StoredAtNanoseconds)
                : null;
        }
        catch (JetStreamException e) when (e.ErrorCode == JetStreamErrorCodes.StreamNotFound)
        {
            return null;
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"read {sequence} of {Name(partition, stream)}", e);
        }
    }

    public async ValueTask<ILogReader> BeginAsync(
        int partition, StreamKind stream, long from, CancellationToken cancellationToken)
    {
        try
        {
            var reading = new PullConsumerOptions
            {
                MessagesMax = options.ReadAheadMessages,
                BytesMax = options.ReadAheadBytes,
            };
            return new NatsLogReader(await PullConsumer.BeginAsync(
                jetStream, Name(partition, stream), (ulong)Math.Max(1, from), reading, cancellationToken));
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"read {Name(partition, stream)} from {from} on", e);
        }
    }

    public async Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken)
    {
        if (below <= 1)
        {
            return;
        }

        try
        {
            await jetStream.PurgeStreamAsync(Name(partition, stream), (ulong)below, cancellationToken);
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"purge {Name(partition, stream)} below {below}", e);
        }
    }

    private string Name(int partition, StreamKind stream) =>
        Routes.StreamName(partition, stream, Known.Generation);

    /// <summary>The server calls every refusal of its store by one code; only a limit of ours means "full".</summary>
    private static LogException Translate(string what, Exception e) => new(
        $"{what}: {e.Message}",
        e is JetStreamException { ErrorCode: JetStreamErrorCodes.StoreFailed } refused
            && refused.Description.Contains("maximum", StringComparison.Ordinal),
        e);
}

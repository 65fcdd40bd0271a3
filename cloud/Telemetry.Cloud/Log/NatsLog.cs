using Telemetry.Model;
using Telemetry.Nats;

namespace Telemetry.Cloud.Log;

/// <summary>
/// The log in JetStream: streams LIVE_p and BACKLOG_p in files, which refuse new messages at their byte limit. Any
/// thread may call.
/// </summary>
internal sealed class NatsLog(JetStreamContext jetStream, NatsLogOptions options) : ILog
{
    private const string MessageIdHeader = "Nats-Msg-Id";

    public async Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken)
    {
        await EnsureStreamAsync(partition, StreamKind.Live, cancellationToken);
        await EnsureStreamAsync(partition, StreamKind.Backlog, cancellationToken);
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
                Routes.FrameSubject(partition, stream, gateway), data, messageId, ct: cancellationToken);
            return ack.Stream == Routes.StreamName(partition, stream)
                ? new LogAppend((long)ack.Sequence, ack.IsDuplicate)
                : throw new LogException(
                    $"stream {ack.Stream} takes what belongs to {Routes.StreamName(partition, stream)}");
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"append to {Routes.StreamName(partition, stream)}", e);
        }
    }

    public async ValueTask<StreamState?> StateAsync(
        int partition, StreamKind stream, CancellationToken cancellationToken)
    {
        try
        {
            var info = await jetStream.FindStreamAsync(Routes.StreamName(partition, stream), cancellationToken);
            return info is null ? null : new StreamState(
                (info.Created.UtcDateTime - DateTime.UnixEpoch).Ticks * 100,
                (long)(info.Messages == 0 ? info.LastSequence + 1 : info.FirstSequence),
                (long)info.LastSequence,
                (long)info.Bytes,
                info.Configuration.MaxBytes ?? 0);
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"state of {Routes.StreamName(partition, stream)}", e);
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
                Routes.StreamName(partition, stream), (ulong)sequence, cancellationToken);
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
            throw Translate($"read {sequence} of {Routes.StreamName(partition, stream)}", e);
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
                jetStream, Routes.StreamName(partition, stream), (ulong)Math.Max(1, from), reading, cancellationToken));
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"read {Routes.StreamName(partition, stream)} from {from} on", e);
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
            await jetStream.PurgeStreamAsync(Routes.StreamName(partition, stream), (ulong)below, cancellationToken);
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"purge {Routes.StreamName(partition, stream)} below {below}", e);
        }
    }

    private async Task EnsureStreamAsync(int partition, StreamKind stream, CancellationToken cancellationToken)
    {
        try
        {
            await jetStream.CreateOrUpdateStreamAsync(
                new StreamConfiguration
                {
                    Name = Routes.StreamName(partition, stream),
                    Subjects = [Routes.StreamSubjects(partition, stream)],
                    MaxBytes = stream == StreamKind.Live ? options.LiveBytesMax : options.BacklogBytesMax,
                    MaxAge = options.MaxAge,
                    DuplicateWindow = options.DuplicateWindow < options.MaxAge
                        ? options.DuplicateWindow : options.MaxAge,
                    Discard = StreamDiscard.New,
                    Storage = StreamStorage.File,
                    Replicas = options.Replicas,
                },
                cancellationToken);
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw Translate($"make {Routes.StreamName(partition, stream)}", e);
        }
    }

    /// <summary>The server calls every refusal of its store by one code; only a limit of ours means "full".</summary>
    private static LogException Translate(string what, Exception e) => new(
        $"{what}: {e.Message}",
        e is JetStreamException { ErrorCode: JetStreamErrorCodes.StoreFailed } refused
            && refused.Description.Contains("maximum", StringComparison.Ordinal),
        e);
}

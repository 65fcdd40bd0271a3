using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// The frame log in JetStream: streams LIVE_p and BACKLOG_p in files, which refuse new messages at their byte limit.
/// May be used on any thread.
/// </summary>
public sealed class JetStreamFrameLog(
    JetStreamConnection connection, JetStreamFrameLogOptions options, InstallationFacts? facts = null)
    : IFrameLog
{
    private readonly StreamMarker _marker = new(connection);
    private readonly StreamMaker _maker = new(connection, options);

    public InstallationFacts? Facts => facts;

    private InstallationFacts Known =>
        facts ?? throw new InvalidOperationException("the facts of the installation are not known yet");

    /// <summary>The same log, used with these facts.</summary>
    public JetStreamFrameLog As(InstallationFacts known) => new(connection, options, known);

    public ValueTask<StreamInstallation?> FindInstallationAsync(CancellationToken cancellationToken) =>
        connection.CallAsync($"read the description of {StreamMarker.Stream}", _marker.FindAsync, cancellationToken);

    public async Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken) =>
        await connection.CallAsync(
            $"make the streams of partition {partition}",
            async token =>
            {
                var told = await _marker.EnsureAsync(Known, options.Replicas, token);
                await _maker.EnsureAsync(told, partition, StreamKind.Live, token);
                await _maker.EnsureAsync(told, partition, StreamKind.Backlog, token);
                return true;
            },
            cancellationToken,
            answers: 12);

    public async ValueTask<FrameAppend> AppendAsync(
        int partition,
        StreamKind stream,
        GatewayId gateway,
        string messageId,
        ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken)
    {
        PubAckResponse ack;
        try
        {
            ack = await connection.Window.PublishAsync(
                StreamNames.FrameSubject(Known.Generation, Known.Partitions, partition, stream, gateway), data,
                messageId,
                cancellationToken);
        }
        catch (FrameLogException e)
        {
            throw new FrameLogException($"append to {Name(partition, stream)}: {e.Message}", inner: e);
        }

        if (ack.Error is { } error)
        {
            // The server has one code for every refusal of its store; only our own limit means "full".
            var isFull = error.ErrCode == JetStreamErrors.StoreFailed
                && error.Description?.Contains("maximum", StringComparison.Ordinal) == true;
            throw new FrameLogException(
                $"append to {Name(partition, stream)}: {JetStreamConnection.Text(new NatsJSApiException(error))}",
                isFull);
        }

        return ack.Stream == Name(partition, stream)
            ? new FrameAppend((long)ack.Seq, ack.Duplicate)
            : throw new FrameLogException($"stream {ack.Stream} takes what belongs to {Name(partition, stream)}");
    }

    public ValueTask<StreamState?> StateAsync(
        int partition, StreamKind stream, CancellationToken cancellationToken) =>
        connection.CallAsync(
            $"state of {Name(partition, stream)}",
            async token =>
            {
                var info = await connection.FindStreamAsync(Name(partition, stream), token);
                if (info is null)
                {
                    return default(StreamState?);
                }

                StreamMaker.Check(info, Known);
                return new StreamState(
                    (info.Created.UtcDateTime - DateTime.UnixEpoch).Ticks * 100,
                    (long)(info.State.Messages == 0 ? info.State.LastSeq + 1 : info.State.FirstSeq),
                    (long)info.State.LastSeq,
                    info.State.Bytes,
                    Math.Max(0, info.Config.MaxBytes),
                    info.Config.MaxAge);
            },
            cancellationToken);

    public async ValueTask<FrameLogMessage?> ReadAsync(
        int partition, StreamKind stream, long sequence, CancellationToken cancellationToken)
    {
        if (sequence < 1)
        {
            return null;
        }

        var name = Name(partition, stream);
        var found = await connection.CallAsync(
            $"read {sequence} of {name}",
            token => StoredMessageQuery.ReadAsync(connection, name, (ulong)sequence, token),
            cancellationToken);
        return found is { } message && StreamNames.TryGatewayOfSubject(message.Subject, out var gateway)
            ? new FrameLogMessage(
                gateway, message.MessageId ?? "", message.Data, (long)message.Sequence, message.StoredAtNanoseconds)
            : null;
    }

    public async ValueTask<IFrameLogReader> BeginAsync(
        int partition, StreamKind stream, long from, CancellationToken cancellationToken)
    {
        var reading = new PullConsumerOptions
        {
            MessagesMax = options.ReadAheadMessages,
            BytesMax = options.ReadAheadBytes,
        };
        return new JetStreamFrameLogReader(await PullConsumer.BeginAsync(
            connection, Name(partition, stream), (ulong)Math.Max(1, from), reading, cancellationToken));
    }

    public async Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken)
    {
        if (below > 1)
        {
            await connection.CallAsync(
                $"purge {Name(partition, stream)} below {below}",
                token => connection.Context.PurgeStreamAsync(
                    Name(partition, stream), new StreamPurgeRequest { Seq = (ulong)below }, token),
                cancellationToken);
        }
    }

    private string Name(int partition, StreamKind stream) =>
        StreamNames.Stream(partition, stream, Known.Generation);
}

using Telemetry.Model.Protocol;
using Telemetry.Runtime;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// One stream of a partition as its owner reads it. The position in the database decides where reading begins; it is
/// checked against the log whenever a reader begins (<see cref="BeginAsync"/>).
/// </summary>
internal sealed class PartitionStream(IFrameLog log, int partition, StreamKind kind, Signal signal) : IAsyncDisposable
{
    private IFrameLogReader? _reader;
    private bool _watching;
    private bool _nothingLeft;

    public StreamKind Kind => kind;

    /// <summary>The stream's name, for logs and messages.</summary>
    public string StreamName => StreamNames.Stream(partition, kind, log.Facts?.Generation ?? 1);

    /// <summary>The position in the database, advanced by the messages of the current transaction.</summary>
    public StreamPosition Position { get; set; }

    /// <summary>True while a reader is running.</summary>
    public bool Running => _reader is { End: null } && !_nothingLeft;

    /// <summary>When the reader began.</summary>
    public long BegunAtTimestamp { get; set; }

    /// <summary>When to try again after the log was out of reach.</summary>
    public long RetryAtTimestamp { get; set; }

    /// <summary>
    /// Checks the position against the log and begins a reader after it. The stream is read from its first message when
    /// it was created again, ends before the position, holds another message at the position (or one where there was
    /// none any more), or starts after the position because older messages aged out. Returns true when
    /// <see cref="Position"/> changed: the row must be written.
    /// </summary>
    public async ValueTask<bool> BeginAsync(CancellationToken cancellationToken)
    {
        await StopAsync();
        _nothingLeft = false;
        var before = Position;
        var state = await log.StateAsync(partition, kind, cancellationToken);
        if (state is null)
        {
            await log.EnsureStreamsAsync(partition, cancellationToken);
            state = await log.StateAsync(partition, kind, cancellationToken)
                ?? throw new FrameLogException($"{StreamName} does not exist although it was just created");
        }

        Position = await CheckAsync(Position, state.Value, cancellationToken);
        _reader = await log.BeginAsync(partition, kind, Position.Sequence + 1, cancellationToken);
        return Position != before;
    }

    /// <summary>Returns the next message without waiting.</summary>
    public bool TryRead(out FrameLogMessage message)
    {
        message = null!;
        if (_reader is null || !_reader.TryRead(out message))
        {
            return false;
        }

        Position = new StreamPosition(
            Position.StreamCreatedNanos, message.Sequence, message.MessageId, message.StoredAtNanos);
        return true;
    }

    /// <summary>Sets the signal when a message arrives or the reader ends.</summary>
    public void Watch(CancellationToken cancellationToken)
    {
        if (!_watching && _reader is { } reader)
        {
            _ = WatchAsync(reader, cancellationToken);
        }
    }

    /// <summary>
    /// Records the state of the stream a moment ago. When all messages that were not read yet were removed from it, no
    /// message arrives that would show the gap: the reader must begin again, so that the position moves on.
    /// </summary>
    public void Saw(StreamState state) => _nothingLeft |= state.First > state.Last
        && Position.Sequence < state.Last && Position.StreamCreatedNanos == state.CreatedNanos;

    /// <summary>
    /// The current end of the stream, for answers. Throws <see cref="FrameLogException"/> when the log is out of reach.
    /// </summary>
    public async ValueTask<StreamState> StateAsync(CancellationToken cancellationToken) =>
        await log.StateAsync(partition, kind, cancellationToken) ?? new StreamState(0, 1, 0);

    /// <summary>
    /// When the stream runs short of bytes, purges the messages that the database has: those below its durable
    /// position, but not the message at it. Returns the position when it purged, otherwise 0.
    /// </summary>
    public async ValueTask<long> TrimAsync(
        StreamState state, StreamPosition durable, int fullPercent, CancellationToken cancellationToken)
    {
        if (state.BytesMax == 0 || state.Bytes < state.BytesMax / 100 * fullPercent || durable.Sequence <= state.First
            || durable.StreamCreatedNanos != state.CreatedNanos)
        {
            return 0;
        }

        await log.PurgeAsync(partition, kind, durable.Sequence, cancellationToken);
        return durable.Sequence;
    }

    /// <summary>A message of the stream; null when it does not have it.</summary>
    public ValueTask<FrameLogMessage?> ReadAsync(long sequence, CancellationToken cancellationToken) =>
        log.ReadAsync(partition, kind, sequence, cancellationToken);

    /// <summary>Ends the reader; the next one begins with a check.</summary>
    public async ValueTask StopAsync()
    {
        if (_reader is { } reader)
        {
            _reader = null;
            await reader.DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => StopAsync();

    private async ValueTask<StreamPosition> CheckAsync(
        StreamPosition position, StreamState state, CancellationToken cancellationToken)
    {
        var first = StreamPosition.None with { StreamCreatedNanos = state.CreatedNanos, Sequence = state.First - 1 };
        if (position.StreamCreatedNanos != state.CreatedNanos || position.Sequence > state.Last)
        {
            return first;
        }

        if (position.Sequence < state.First)
        {
            return position.Sequence == first.Sequence ? position : first;
        }

        // Where the position's own message was gone, the position has no id and no time: a message is there again only
        // in a log that was put back, with others below it that were gone too and were not read.
        var message = await log.ReadAsync(partition, kind, position.Sequence, cancellationToken);
        return message is not null && message.MessageId == position.MessageId
            && message.StoredAtNanos == position.StoredAtNanos ? position : first;
    }

    private async Task WatchAsync(IFrameLogReader reader, CancellationToken cancellationToken)
    {
        _watching = true;
        try
        {
            await reader.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The processor is stopping; nobody waits for the signal any more.
        }
        finally
        {
            _watching = false;
            signal.Set();
        }
    }
}

namespace Telemetry.Streams.JetStream;

/// <summary>A pull to send; its number is repeated in the statuses that concern it.</summary>
internal readonly record struct PullRequest(long Number, int Messages, int? BytesMax);

/// <summary>
/// The state machine of a pull consumer: credit, sequence, silence. It has no socket, clock or task; its owner calls it
/// under one lock. One pull is open at a time. The next one is sent when the previous one is served or has ended and
/// the reader has taken at least half, so that the waiting messages never exceed the limits.
/// </summary>
internal sealed class PullSession(ulong startSequence, PullConsumerOptions options)
{
    private long _number;
    private int _awaited;
    private int _deliveredByPull;
    private long _bytesLeft;
    private bool _oversize;
    private int _waiting;
    private long _waitingBytes;
    private ulong _nextStream;
    private ulong _nextConsumer = 1;
    private TimeSpan _heardAt;

    public PullConsumerEnd? End { get; private set; }

    /// <summary>The stream sequence that is expected next.</summary>
    public ulong NextSequence => _nextStream == 0 ? startSequence : _nextStream;

    /// <summary>Requests more if there is room and no pull is open.</summary>
    public bool TryPull(TimeSpan now, out PullRequest request)
    {
        request = default;
        if (End is not null || _awaited > 0)
        {
            return false;
        }

        if (_oversize)
        {
            if (_waiting > 0)
            {
                return false;
            }

            request = new(++_number, 1, null);
        }
        else
        {
            if (_waiting > options.MessagesMax / 2 || _waitingBytes > options.BytesMax / 2)
            {
                return false;
            }

            request = new(++_number, options.MessagesMax - _waiting, (int)(options.BytesMax - _waitingBytes));
        }

        _awaited = request.Messages;
        _bytesLeft = request.BytesMax ?? long.MaxValue;
        _deliveredByPull = 0;
        _heardAt = now;
        return true;
    }

    /// <summary>
    /// True: the message is the expected one and now waits for the reader. False: the consumer has ended.
    /// </summary>
    public bool Deliver(in DeliveryPosition position, int bytes, TimeSpan now)
    {
        if (End is not null)
        {
            return false;
        }

        _heardAt = now;
        // The first message may be after the start (the stream no longer holds the start). If it is before the end that
        // the stream had before the start, the server began at the end, which nobody asked for.
        var sequence = position.StreamSequence;
        var isNext = _nextStream == 0 ? sequence >= startSequence : sequence == _nextStream;
        if (position.ConsumerSequence != _nextConsumer || !isNext)
        {
            var due = NextSequence;
            Finish(new(
                PullConsumerEndReason.Jump,
                $"Delivery {position.ConsumerSequence} for {_nextConsumer}, sequence {sequence} for {due}",
                due,
                sequence));
            return false;
        }

        _nextConsumer++;
        _nextStream = sequence + 1;
        _bytesLeft -= bytes;

        // The server regards a pull whose bytes are exactly used up as finished, without a status.
        _awaited = _bytesLeft <= 0 ? 0 : Math.Max(0, _awaited - 1);
        _deliveredByPull++;
        _oversize = false;
        _waiting++;
        _waitingBytes += bytes;
        return true;
    }

    /// <summary>The reader has taken messages.</summary>
    public void Take(int messages, long bytes)
    {
        _waiting -= messages;
        _waitingBytes -= bytes;
    }

    /// <summary>Handles a status message of the server.</summary>
    public void Receive(in PullStatus status, TimeSpan now)
    {
        if (End is not null)
        {
            return;
        }

        _heardAt = now;
        var (number, description) = (status.Number, status.Description);
        switch (status.Code)
        {
            case 100:
                if (status.LastConsumer >= _nextConsumer)
                {
                    Finish(new(
                        PullConsumerEndReason.Jump,
                        $"The server says delivery {status.LastConsumer}, {_nextConsumer} did not come",
                        NextSequence,
                        status.LastStream));
                }

                break;
            case 404 or 408:
                EndPull(number);
                break;
            case 409 when description.StartsWith("Message Size Exceeds", StringComparison.OrdinalIgnoreCase):
                if (number == _number)
                {
                    _oversize = _deliveredByPull == 0;
                }

                EndPull(number);
                break;
            case 409 when description.StartsWith("Leadership Change", StringComparison.OrdinalIgnoreCase)
                || description.StartsWith("Batch Completed", StringComparison.OrdinalIgnoreCase)
                || description.StartsWith("Server Shutdown", StringComparison.OrdinalIgnoreCase):
                EndPull(number);
                break;
            case 409 when description.Contains("Deleted", StringComparison.OrdinalIgnoreCase):
            case 503:
                Finish(new(PullConsumerEndReason.Deleted, $"{status.Code} {description}"));
                break;
            default:
                Finish(new(PullConsumerEndReason.Refused, $"{status.Code} {description}"));
                break;
        }
    }

    /// <summary>Ends the consumer when the server, after a pull, has sent nothing for too long.</summary>
    public void Tick(TimeSpan now)
    {
        if (_awaited > 0 && now - _heardAt > options.IdleHeartbeat * (options.HeartbeatsMissedMax + 0.5))
        {
            Finish(new(PullConsumerEndReason.HeartbeatsMissed, $"Nothing heard for {now - _heardAt}"));
        }
    }

    /// <summary>Ends the consumer; the first end counts.</summary>
    public void Finish(PullConsumerEnd end) => End ??= end;

    private void EndPull(long number)
    {
        if (number == _number)
        {
            _awaited = 0;
        }
    }
}

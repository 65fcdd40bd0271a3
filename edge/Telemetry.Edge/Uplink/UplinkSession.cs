using Telemetry.Edge.Outbox;
using Telemetry.Edge.Uplink.Hellos;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Uplink;

/// <summary>
/// The work on one connection: hellos, frames, sealing of backlog when there is room for it, and messages from the
/// cloud. Ends when the connection is closed.
/// </summary>
internal sealed class UplinkSession
{
    private readonly ReadingOutbox _outbox;
    private readonly IUplinkConnection _connection;
    private readonly DeliveryTracker _delivery;
    private readonly UplinkOptions _options;
    private readonly TimeProvider _time;
    private readonly SharedLink _link;
    private readonly FrameSender _frames;
    private readonly HelloSender _hellos;
    private CancellationToken _stop;
    private OutboxException? _failure;

    public UplinkSession(
        ReadingOutbox outbox, IUplinkConnection connection, DeliveryTracker delivery, UplinkOptions options,
        TimeProvider time)
    {
        (_outbox, _connection, _delivery, _options, _time) = (outbox, connection, delivery, options, time);
        _link = new SharedLink(connection, delivery, options, time);
        _frames = new FrameSender(outbox, _link, delivery, options, time);
        _hellos = new HelloSender(connection, delivery, options, time);
    }

    private OutboxException? Failure => _failure ?? _frames.Failure;

    /// <summary>Works until the connection closes. Throws the error that made the outbox fail.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _stop = ended.Token;
        _delivery.Begin();
        var down = ReadDownAsync();
        var closed = WatchAsync();
        try
        {
            while (!_connection.Closed.IsCompleted && Failure is null)
            {
                KeepLiveLive();
                _hellos.SayIfDue(_stop);
                _frames.SendWhatFits(_stop);
                SealBacklogIfRoom();
                await _delivery.Wake.WaitAsync(UntilDue(), _time, cancellationToken);
            }
        }
        finally
        {
            await _hellos.SayGoodbyeAsync(cancellationToken);
            ended.Cancel(); // CancelAsync would leave this thread.
            await down;
            await closed;
        }

        if (Failure is { } failure)
        {
            throw failure;
        }
    }

    private TimeSpan UntilDue()
    {
        var due = _hellos.UntilDue();
        var pause = _link.PauseLeft;
        var wait = pause > TimeSpan.Zero && pause < due
            ? pause : due > TimeSpan.Zero ? due : TimeSpan.FromMilliseconds(10);
        var pace = _link.Backlog.PaceLeft;
        wait = pace > TimeSpan.Zero && pace < wait ? pace : wait;
        var version = _delivery.Hellos.VersionWaitLeft;
        wait = version > TimeSpan.Zero && version < wait ? version : wait;

        // A delay is truncated to whole milliseconds: a remainder below one would be no delay, and the loop would spin.
        return TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
    }

    /// <summary>
    /// When live frames accumulate (the cloud withholds its PUBACKs), later readings wait unsealed and are sent as
    /// backlog, so that live data stays live.
    /// </summary>
    private void KeepLiveLive()
    {
        var waiting = _delivery.Queues.Count(Lane.Live);
        _outbox.LinkUp = waiting <= _link.Slots || (_outbox.LinkUp && waiting <= 2 * _link.Slots);
    }

    /// <summary>
    /// Seals backlog only when it is about to be sent: sealed frames can neither be cut for a link that became slower
    /// nor be merged. The first answer tells the frame version; sealing waits a limited time for it.
    /// </summary>
    private void SealBacklogIfRoom()
    {
        if (_delivery.Sealing || _link.IsPaused || _outbox.UnsealedReadings == 0
            || _delivery.Queues.Peek(Lane.Backlog) is not null || !_delivery.Hellos.IsVersionKnown)
        {
            return;
        }

        var (slots, bytes) = (_link.BacklogSlots, _link.Backlog.SealBytes);
        if (slots > 0 && bytes > 0)
        {
            var frameBytes = _link.Backlog.FrameBytes;
            _ = SealBacklogAsync((int)Math.Clamp(bytes / frameBytes, 1, slots), frameBytes);
        }
    }

    private async Task SealBacklogAsync(int framesMax, int bytesMax)
    {
        _delivery.Sealing = true;
        try
        {
            if (await _outbox.SealBacklogAsync(framesMax, FrameHeader.CountMax, bytesMax, _stop) == 0)
            {
                // Nothing could be sealed just now (a commit is under way): do not try again at once.
                await Task.Delay(_options.BackoffMin, _time, _stop);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The session is ending.
        }
        catch (OutboxException e)
        {
            _failure = e;
        }
        finally
        {
            _delivery.Sealing = false;
            _delivery.Wake.Set();
        }
    }

    private async Task ReadDownAsync()
    {
        try
        {
            while (await _connection.Down.WaitToReadAsync(_stop))
            {
                while (_connection.Down.TryRead(out var message))
                {
                    _delivery.Take(message.Span);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The session is ending.
        }
    }

    private async Task WatchAsync()
    {
        // A cancelled delay would continue on the thread pool.
        var stopped = new TaskCompletionSource();
        await using var registration = _stop.UnsafeRegister(
            static s => ((TaskCompletionSource)s!).TrySetResult(), stopped);
        await Task.WhenAny(_connection.Closed, stopped.Task);
        _delivery.Wake.Set();
    }
}

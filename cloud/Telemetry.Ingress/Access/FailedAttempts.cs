namespace Telemetry.Ingress.Access;

/// <summary>
/// Which senders failed lately, and until when each is paused. Bounded by <see cref="PasswordOptions.SendersMax"/>. May
/// be used on any thread.
/// </summary>
internal sealed class FailedAttempts(PasswordOptions options, TimeProvider time)
{
    private readonly Dictionary<PasswordSender, LinkedListNode<Entry>> _bySender = [];

    // The sender whose last failure is oldest comes first.
    private readonly LinkedList<Entry> _byLastFailure = new();
    private readonly Lock _gate = new();

    /// <summary>The number of senders that are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _bySender.Count;
            }
        }
    }

    /// <summary>True while the sender is paused; the attempt is counted for <see cref="TakeEnded"/>.</summary>
    public bool IsPaused(PasswordSender sender)
    {
        lock (_gate)
        {
            if (!_bySender.TryGetValue(sender, out var node) || node.Value.PausedFor == TimeSpan.Zero
                || time.GetElapsedTime(node.Value.FailedAt) >= node.Value.PausedFor)
            {
                return false;
            }

            node.Value = node.Value with { Unchecked = node.Value.Unchecked + 1 };
            return true;
        }
    }

    /// <summary>
    /// Records a wrong password. Returns true when the sender is paused from now on and was not before. At the bound
    /// another sender is forgotten.
    /// </summary>
    public bool Failed(PasswordSender sender)
    {
        lock (_gate)
        {
            var before = _bySender.Remove(sender, out var node) ? node.Value : new Entry(sender, 0, default, 0, 0);
            if (node is not null)
            {
                _byLastFailure.Remove(node);
            }
            else if (_bySender.Count >= options.SendersMax)
            {
                RemoveFirst();
            }

            var failures = before.Failures + 1;
            var pause = failures < options.FailuresFree ? TimeSpan.Zero : Pause(failures - options.FailuresFree);
            _bySender[sender] = _byLastFailure.AddLast(
                before with { Failures = failures, PausedFor = pause, FailedAt = time.GetTimestamp() });
            return pause > TimeSpan.Zero && before.PausedFor == TimeSpan.Zero;
        }
    }

    /// <summary>A right password: the sender's failures are forgotten.</summary>
    public void Succeeded(PasswordSender sender)
    {
        lock (_gate)
        {
            if (_bySender.TryGetValue(sender, out var node) && node.Value.PausedFor == TimeSpan.Zero)
            {
                _bySender.Remove(sender);
                _byLastFailure.Remove(node);
            }
        }
    }

    /// <summary>
    /// Forgets a sender whose pause ended, and that made no attempt for <see cref="PasswordOptions.PauseMax"/> after
    /// it; false when there is none. Call it until it returns false: only this keeps the table small.
    /// </summary>
    public bool TakeEnded(out PasswordSender sender, out long uncheckedAttempts, out bool wasPaused)
    {
        lock (_gate)
        {
            (sender, uncheckedAttempts, wasPaused) = (default, 0, false);
            if (_byLastFailure.First is not { } first
                || time.GetElapsedTime(first.Value.FailedAt) < first.Value.PausedFor + options.PauseMax)
            {
                return false;
            }

            sender = first.Value.Sender;
            uncheckedAttempts = first.Value.Unchecked;
            wasPaused = first.Value.PausedFor > TimeSpan.Zero;
            RemoveFirst();
            return true;
        }
    }

    private TimeSpan Pause(int doubled)
    {
        var pause = options.PauseFirst * Math.Pow(2, Math.Min(doubled, 20));
        return pause < options.PauseMax ? pause : options.PauseMax;
    }

    private void RemoveFirst()
    {
        _bySender.Remove(_byLastFailure.First!.Value.Sender);
        _byLastFailure.RemoveFirst();
    }

    private readonly record struct Entry(
        PasswordSender Sender, int Failures, TimeSpan PausedFor, long FailedAt, long Unchecked);
}

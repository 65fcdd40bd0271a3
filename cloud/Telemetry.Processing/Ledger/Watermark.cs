using Telemetry.Model.Frames;

namespace Telemetry.Processing.Ledger;

/// <summary>
/// The greatest W of a promise whose sequences are all settled. Keeps the promises that wait, at most
/// <see cref="PendingMax"/>: when there are more, one from the middle goes (the oldest may count soonest, the newest
/// says most).
/// </summary>
internal sealed class Watermark
{
    /// <summary>The most promises that wait.</summary>
    public const int PendingMax = 32;

    private readonly List<Promise> _pending = [];

    /// <summary>Microseconds since 1970 UTC; <see cref="long.MinValue"/> before the first promise counted.</summary>
    public long Value { get; private set; } = long.MinValue;

    /// <summary>How many promises wait.</summary>
    public int Pending => _pending.Count;

    /// <summary>Takes it from the database.</summary>
    public void Load(long value) => Value = value;

    /// <summary>Takes a promise, its W capped at when it was received: nobody's clock runs ahead of ours.</summary>
    public void Add(Promise promise, long receivedAtMicros)
    {
        var capped = promise.W <= receivedAtMicros ? promise : promise with { W = receivedAtMicros };
        if (capped.W <= Value || (_pending.Count > 0 && _pending[^1].Equals(capped)))
        {
            return;
        }

        _pending.Add(capped);
        if (_pending.Count > PendingMax)
        {
            _pending.RemoveAt(PendingMax / 2);
        }
    }

    /// <summary>Moves on as far as promises count now. True when it moved.</summary>
    public bool Advance(ulong digest, Func<EpochLasts, bool> settled)
    {
        var before = Value;
        for (var i = _pending.Count - 1; i >= 0; i--)
        {
            var promise = _pending[i];
            if (promise.W > Value && promise.Digest == digest && Array.TrueForAll(promise.Epochs, e => settled(e)))
            {
                Value = promise.W;
            }
        }

        _pending.RemoveAll(p => p.W <= Value);
        return Value > before;
    }
}

using Telemetry.Model.Frames;

namespace Telemetry.Processing.Ledger;

/// <summary>
/// The greatest W of a promise whose sequences are all settled. Keeps at most <see cref="PendingMax"/> promises that
/// wait. When there are more, one from the middle is removed: the oldest may be fulfilled soonest, and the newest has
/// the greatest W.
/// </summary>
internal sealed class Watermark
{
    /// <summary>The most promises that wait.</summary>
    public const int PendingMax = 32;

    private readonly List<Promise> _pending = [];

    /// <summary>
    /// Microseconds since 1970 UTC; <see cref="long.MinValue"/> until the first promise is fulfilled.
    /// </summary>
    public long Value { get; private set; } = long.MinValue;

    /// <summary>How many promises wait.</summary>
    public int Pending => _pending.Count;

    /// <summary>Loads it from the database.</summary>
    public void Load(long value) => Value = value;

    /// <summary>
    /// Adds a promise. Its W is limited to the time of receipt, so that no gateway's clock can move it ahead of the
    /// cloud's clock.
    /// </summary>
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

    /// <summary>Moves the watermark by the promises that are fulfilled now. True when it moved.</summary>
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

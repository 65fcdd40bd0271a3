using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>A schema in flight.</summary>
/// <param name="Stream">The stream that it is sent to.</param>
/// <param name="Step">Its step in the chain.</param>
/// <param name="Round">Which sending of the chain it belongs to; an earlier sending that was forgotten does not
/// count.</param>
internal readonly record struct SchemaPass(StreamKind Stream, int Step, int Round);

/// <summary>
/// The steps of the chain in one stream: which the log has, which are in flight, which is next. PUBACKs may arrive in
/// any order.
/// </summary>
internal sealed class StreamSchemas
{
    private readonly HashSet<int> _onTheWay = [];
    private readonly HashSet<int> _beyond = [];
    private int _next = 1;
    private int _round;
    private long _receipt;
    private long _acceptedAtHello = -1;
    private long _acceptedAt;
    private bool _hasReceipt;

    /// <summary>The log or the database has every step up to this one.</summary>
    public int ReadyTo { get; private set; }

    /// <summary>The first step that is neither in the log nor in flight.</summary>
    public int Next
    {
        get
        {
            _next = Math.Max(_next, ReadyTo + 1);
            while (_onTheWay.Contains(_next) || _beyond.Contains(_next))
            {
                _next++;
            }

            return _next;
        }
    }

    /// <summary>The next step is sent.</summary>
    public SchemaPass Take(StreamKind stream)
    {
        var step = Next;
        _onTheWay.Add(step);
        return new SchemaPass(stream, step, _round);
    }

    /// <summary>The log has it.</summary>
    public void Accepted(SchemaPass pass, Receipt? receipt, long hello, long timestamp)
    {
        if (pass.Round != _round)
        {
            return;
        }

        _onTheWay.Remove(pass.Step);
        if (pass.Step > ReadyTo)
        {
            _beyond.Add(pass.Step);
        }

        (_hasReceipt, _receipt) = (receipt is not null, receipt?.Sequence ?? 0);
        (_acceptedAtHello, _acceptedAt) = (hello, timestamp);
        Advance();
    }

    /// <summary>The step is sent again.</summary>
    public void Failed(SchemaPass pass)
    {
        if (pass.Round == _round)
        {
            _onTheWay.Remove(pass.Step);
            _next = Math.Min(_next, pass.Step);
        }
    }

    /// <summary>The database has every step up to this one.</summary>
    public void Has(int step)
    {
        ReadyTo = Math.Max(ReadyTo, step);
        _beyond.RemoveWhere(s => s <= step);
        Advance();
    }

    /// <summary>
    /// True when an answer that lacks a step shows that the log will not deliver it: the last receipt lies beyond the
    /// log's end, or the position has passed it. A step accepted after the hello cannot be judged by its answer.
    /// </summary>
    public bool IsLost(long hello, StreamProgress stream, TimeProvider time, TimeSpan unsettledAfter) =>
        _acceptedAtHello < hello && (_acceptedAtHello < 0
            || (_hasReceipt
                ? _receipt > stream.End || _receipt <= stream.Position
                : time.GetElapsedTime(_acceptedAt) >= unsettledAfter));

    /// <summary>All steps after this one are sent again.</summary>
    public void ForgetBeyond(int step)
    {
        if (ReadyTo <= step && _beyond.Count == 0)
        {
            return;
        }

        ReadyTo = Math.Min(ReadyTo, step);
        _beyond.Clear();
        _onTheWay.Clear();
        _next = 1;
        _acceptedAtHello = -1;
        _round++;
    }

    private void Advance()
    {
        while (_beyond.Remove(ReadyTo + 1))
        {
            ReadyTo++;
        }
    }
}

using Telemetry.Model;

namespace Telemetry.Cloud.Processing;

/// <summary>A message's place in the log; a stream made anew has other places.</summary>
internal readonly record struct LogPlace(int Partition, StreamKind Stream, long StreamCreatedNanos, long Sequence);

/// <summary>
/// Finds the frame whose data the database refuses (SQLSTATE class 22 or 23): the transaction is halved until one message
/// is left; refused twice alone it is poison. Grows back with each success.
/// </summary>
internal sealed class FaultSearch
{
    /// <summary>The most places remembered; beyond, all are forgotten and found again.</summary>
    private const int PlacesMax = 1024;

    private readonly HashSet<LogPlace> _poison = [];
    private readonly HashSet<LogPlace> _suspects = [];
    private readonly List<LogPlace> _taken = [];
    private LogPlace _last;
    private int _messagesMax = int.MaxValue;

    /// <summary>Messages in the transaction being built.</summary>
    public int Taken { get; private set; }

    /// <summary>False when the transaction may take no more messages.</summary>
    public bool Room => Taken < _messagesMax;

    /// <summary>A message was taken.</summary>
    public void Took(LogPlace place)
    {
        _last = place;
        Taken++;
        if (_poison.Count + _suspects.Count > 0)
        {
            _taken.Add(place);
        }
    }

    /// <summary>True when the database refused this message alone.</summary>
    public bool IsPoison(LogPlace place) => _poison.Count > 0 && _poison.Contains(place);

    /// <summary>The database refused the data of this transaction.</summary>
    public void Failed()
    {
        if (_suspects.Count >= PlacesMax)
        {
            _suspects.Clear();
            _poison.Clear();
        }

        if (Taken > 1)
        {
            _messagesMax = Taken / 2;
        }
        else if (Taken == 1)
        {
            _messagesMax = 1;
            if (!_suspects.Add(_last))
            {
                _poison.Add(_last);
            }
        }
    }

    /// <summary>
    /// The transaction committed: what it took is no suspect any more, and what was poison in it is a dead letter now. One
    /// that took nothing (a renewal of the leases) says nothing of the data.
    /// </summary>
    public void Succeeded()
    {
        if (Taken == 0)
        {
            return;
        }

        _messagesMax = _messagesMax > int.MaxValue / 2 ? int.MaxValue : _messagesMax * 2;
        _poison.ExceptWith(_taken);
        _suspects.ExceptWith(_taken);
        Interrupted();
    }

    /// <summary>The transaction did not happen.</summary>
    public void Interrupted()
    {
        Taken = 0;
        _taken.Clear();
    }
}

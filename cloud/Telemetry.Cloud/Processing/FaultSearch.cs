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
    private readonly HashSet<LogPlace> _poison = [];
    private LogPlace _last;
    private LogPlace? _suspect;
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
    }

    /// <summary>True when the database refused this message alone.</summary>
    public bool IsPoison(LogPlace place) => _poison.Count > 0 && _poison.Contains(place);

    /// <summary>The database refused the data of this transaction.</summary>
    public void Failed()
    {
        if (Taken > 1)
        {
            _messagesMax = Taken / 2;
        }
        else if (Taken == 1)
        {
            _messagesMax = 1;
            if (_suspect == _last)
            {
                _poison.Add(_last);
            }

            _suspect = _last;
        }
    }

    /// <summary>The transaction committed: whatever was poison in it is a dead letter now.</summary>
    public void Succeeded()
    {
        _messagesMax = _messagesMax > int.MaxValue / 2 ? int.MaxValue : _messagesMax * 2;
        _poison.Clear();
        _suspect = null;
        Taken = 0;
    }

    /// <summary>The transaction did not happen.</summary>
    public void Interrupted() => Taken = 0;
}

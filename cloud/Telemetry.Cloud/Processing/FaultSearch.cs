using Telemetry.Model;

namespace Telemetry.Cloud.Processing;

/// <summary>
/// Finds the frame whose data the database refuses (SQLSTATE class 22 or 23): the transaction is halved until one message
/// is left, which is then poison. Grows back with each success.
/// </summary>
internal sealed class FaultSearch
{
    private const int PoisonMax = 1024;

    private readonly HashSet<(int Partition, StreamKind Stream, long Sequence)> _poison = [];
    private (int Partition, StreamKind Stream, long Sequence) _last;
    private int _messagesMax = int.MaxValue;

    /// <summary>Messages in the transaction being built.</summary>
    public int Taken { get; private set; }

    /// <summary>False when the transaction may take no more messages.</summary>
    public bool Room => Taken < _messagesMax;

    /// <summary>A message was taken.</summary>
    public void Took(int partition, StreamKind stream, long sequence)
    {
        _last = (partition, stream, sequence);
        Taken++;
    }

    /// <summary>True when the database refused this message alone.</summary>
    public bool IsPoison(int partition, StreamKind stream, long sequence) =>
        _poison.Count > 0 && _poison.Contains((partition, stream, sequence));

    /// <summary>The database refused the data of this transaction.</summary>
    public void Failed()
    {
        if (Taken > 1)
        {
            _messagesMax = Taken / 2;
        }
        else if (Taken == 1)
        {
            if (_poison.Count == PoisonMax)
            {
                _poison.Clear(); // They were committed long ago, or are found again.
            }

            _poison.Add(_last);
        }
    }

    /// <summary>The transaction committed.</summary>
    public void Succeeded()
    {
        _messagesMax = _messagesMax > int.MaxValue / 2 ? int.MaxValue : _messagesMax * 2;
        Taken = 0;
    }

    /// <summary>The transaction did not happen.</summary>
    public void Interrupted() => Taken = 0;
}

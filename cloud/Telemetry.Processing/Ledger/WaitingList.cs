using Telemetry.Model.Schemas;
using Telemetry.Storage;

namespace Telemetry.Processing.Ledger;

/// <summary>
/// Which messages of a gateway wait in the database for a schema that it lacks. Their bytes stay in the database. At
/// most <see cref="MessagesMax"/> and <see cref="BytesMax"/>: beyond, the oldest is given up, and a message that is
/// larger is not kept; both are then at the edge alone, as every frame is until it is settled.
/// </summary>
internal sealed class WaitingList
{
    /// <summary>The most messages of one gateway.</summary>
    public const int MessagesMax = 32;

    /// <summary>The most bytes of one gateway's messages.</summary>
    public const int BytesMax = 512 * 1024;

    private readonly List<(WaitingId Id, int Bytes)> _messages;
    private int _bytes;

    /// <summary>Takes them from the database, the oldest first.</summary>
    public WaitingList(IEnumerable<(WaitingId Id, int Bytes)> messages)
    {
        _messages = [.. messages];
        _bytes = _messages.Sum(m => m.Bytes);
    }

    /// <summary>Those that wait for a schema.</summary>
    public IReadOnlyList<WaitingId> Needing(SchemaId schema) =>
        [.. _messages.Where(m => m.Id.Needs == schema).Select(m => m.Id)];

    /// <summary>
    /// Adds a message; false when it waits already or is too large. <paramref name="givenUp"/>: those that went for it.
    /// </summary>
    public bool Add(WaitingId id, int bytes, out IReadOnlyList<WaitingId> givenUp)
    {
        givenUp = [];
        if (bytes > BytesMax || _messages.Exists(m => m.Id == id))
        {
            return false;
        }

        var over = 0;
        for (_bytes += bytes; _messages.Count - over >= MessagesMax || _bytes > BytesMax; over++)
        {
            _bytes -= _messages[over].Bytes;
        }

        givenUp = [.. _messages.Take(over).Select(m => m.Id)];
        _messages.RemoveRange(0, over);
        _messages.Add((id, bytes));
        return true;
    }

    /// <summary>Forgets those that waited for a schema.</summary>
    public void Remove(SchemaId needs)
    {
        _messages.RemoveAll(m => m.Id.Needs == needs);
        _bytes = _messages.Sum(m => m.Bytes);
    }
}

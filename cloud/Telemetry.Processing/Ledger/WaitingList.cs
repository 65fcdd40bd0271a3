using Telemetry.Model.Schemas;
using Telemetry.Storage;

namespace Telemetry.Processing.Ledger;

/// <summary>
/// Records which messages of a gateway wait in the database for a schema that it lacks. Their bytes stay in the
/// database. At most <see cref="MessagesMax"/> messages and <see cref="BytesMax"/> bytes: beyond, the oldest message is
/// given up, and a message that is larger is not kept. Both are then only at the edge, as every frame is until it is
/// settled.
/// </summary>
internal sealed class WaitingList
{
    /// <summary>The most messages of one gateway.</summary>
    public const int MessagesMax = 32;

    /// <summary>The most bytes of one gateway's messages.</summary>
    public const int BytesMax = 512 * 1024;

    private readonly List<(WaitingId Id, int Bytes)> _messages;
    private int _bytes;

    /// <summary>Loads the messages from the database, the oldest first.</summary>
    public WaitingList(IEnumerable<(WaitingId Id, int Bytes)> messages)
    {
        _messages = [.. messages];
        _bytes = _messages.Sum(m => m.Bytes);
    }

    /// <summary>The messages that wait for a schema.</summary>
    public IReadOnlyList<WaitingId> Needing(SchemaId schema) =>
        [.. _messages.Where(m => m.Id.Needs == schema).Select(m => m.Id)];

    /// <summary>
    /// Adds a message; false when it waits already or is too large. <paramref name="givenUp"/>: the messages that were
    /// given up for it.
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

    /// <summary>Removes the messages that waited for a schema.</summary>
    public void Remove(SchemaId needs)
    {
        _messages.RemoveAll(m => m.Id.Needs == needs);
        _bytes = _messages.Sum(m => m.Bytes);
    }
}

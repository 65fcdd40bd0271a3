using System.IO.Hashing;
using Telemetry.Model.Schemas;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Intake;

/// <summary>
/// Keeps messages that were read before their schema. The position moves past such a message, so without a copy only
/// its agent could send it again. It settles nothing while it waits. After the schema is registered, it is applied in
/// the same transaction.
/// </summary>
internal sealed class WaitingMessages(IStore store)
{
    /// <summary>Keeps a message. <paramref name="content"/> is the message after its attempt prefix.</summary>
    public static void Keep(
        GatewayLedger gateway, SchemaId needs, FrameLogMessage message, ReadOnlyMemory<byte> content,
        StoreCommit commit)
    {
        var id = new WaitingId(gateway.Gateway, needs, XxHash64.HashToUInt64(content.Span));
        if (gateway.Waiting.Add(id, message.Data.Length, out var givenUp))
        {
            commit.Waiting.Add(new WaitingRow(id, message.StoredAtNanos, message.Data.ToArray()));
            foreach (var old in givenUp)
            {
                Remove(old, commit);
            }
        }
    }

    /// <summary>
    /// Takes the messages that waited for a schema out of the database, in the order of their arrival.
    /// </summary>
    public async ValueTask<IReadOnlyList<WaitingRow>> TakeAsync(
        GatewayLedger gateway, SchemaId schema, StoreCommit commit, CancellationToken cancellationToken)
    {
        var ids = gateway.Waiting.Needing(schema);
        if (ids.Count == 0)
        {
            return [];
        }

        var here = commit.Waiting.Where(r => r.Id.Gateway == gateway.Gateway && r.Id.Needs == schema).ToArray();
        var stored = here.Length == ids.Count
            ? [] : await store.LoadWaitingAsync(gateway.Gateway, schema, cancellationToken);
        gateway.Waiting.Remove(schema);
        foreach (var id in ids)
        {
            Remove(id, commit);
        }

        return [.. stored.Where(r => ids.Contains(r.Id)), .. here];
    }

    /// <summary>The key of a waiting message in the search for data faults: it is not in any stream.</summary>
    public static MessageKey Place(WaitingId id) => new(-1, default, 0, (long)id.Hash);

    private static void Remove(WaitingId id, StoreCommit commit)
    {
        if (commit.Waiting.RemoveAll(r => r.Id == id) == 0)
        {
            commit.RemovedWaiting.Add(id);
        }
    }
}

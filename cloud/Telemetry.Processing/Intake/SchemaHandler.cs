using Microsoft.Extensions.Logging;
using Telemetry.Model.Schemas;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;

namespace Telemetry.Processing.Intake;

/// <summary>
/// Finds and registers schemas. A schema beyond a limit of its gateway is refused: it becomes a dead letter that is
/// counted in no accounting, the frames that name it or a later schema wait at the edge, and frames that name an
/// earlier one are stored as before.
/// </summary>
internal sealed class SchemaHandler(
    IStore store, ProcessorOptions options, ProcessorCounters counters, PendingAcks acks, ILogger logger)
{
    private readonly SchemaLimits _limits = new(
        options.GatewaySeriesMax, options.GatewaySchemasMax, options.GatewaySchemaBytesMax);

    /// <summary>Returns a list of series from memory or the database; null when neither has it.</summary>
    public async ValueTask<SeriesList?> FindAsync(
        GatewayLedger gateway, SchemaId id, CancellationToken cancellationToken)
    {
        var schemas = gateway.Schemas;
        if (!schemas.Loaded && schemas.Find(id) is null)
        {
            schemas.Load(await store.LoadSchemasAsync(gateway.Gateway, cancellationToken));
        }

        return schemas.Find(id);
    }

    /// <summary>
    /// Registers a schema message. Returns the parent schema that it waits for, if that is not known.
    /// </summary>
    public async ValueTask<SchemaId?> RegisterAsync(
        GatewayLedger gateway, SchemaMessage schema, ReadOnlyMemory<byte> message, SuspectMessage suspect,
        StoreCommit commit, CancellationToken cancellationToken)
    {
        if (suspect.Level >= SuspectLevel.Frame)
        {
            // Frames of this schema wait at the edge, and the gateway sends it again, until the database accepts it.
            counters.SchemasRefused++;
            Keep(gateway, DeadLetterReason.Database, suspect.Error, message, commit);
            return null;
        }

        if (await FindAsync(gateway, schema.Id, cancellationToken) is not null)
        {
            acks.Known(gateway, schema.Id);
            return null;
        }

        if (await FindAsync(gateway, schema.Parent, cancellationToken) is not { } parent)
        {
            if (gateway.Schemas.IsRefused(schema.Parent))
            {
                gateway.Schemas.Refuse(schema.Id);
                return null;
            }

            acks.SchemaNeeded(gateway, schema.Parent, default);
            return schema.Parent;
        }

        if (gateway.Schemas.Beyond(_limits, parent, schema) is { } limit)
        {
            Refuse(gateway, schema.Id, limit, message, commit);
            return null;
        }

        var row = new SchemaLedgerRow(schema, gateway.Schemas.Add(parent, schema));
        if (suspect.Level == SuspectLevel.Readings)
        {
            await SearchAsync(gateway, row, message, commit, cancellationToken);
        }

        commit.Schemas.Add(row);
        acks.Known(gateway, schema.Id);
        return null;
    }

    // One series that the database refuses does not block the others: only its readings become dead letters.
    private async ValueTask SearchAsync(
        GatewayLedger gateway, SchemaLedgerRow row, ReadOnlyMemory<byte> message, StoreCommit commit,
        CancellationToken cancellationToken)
    {
        var added = row.Added.ToArray();
        foreach (var refused in await store.FindRefusedSeriesAsync(added, cancellationToken))
        {
            var series = added[refused.Index];
            series.Refusal = refused.Error;
            counters.SeriesRefused++;
            Keep(
                gateway, DeadLetterReason.Database,
                $"the series {series.Definition.Device} {series.Definition.Metric}: {refused.Error}", message, commit);
        }
    }

    // The gateway is not asked for it again, because it would send all of its schemas each time. Its hellos show often
    // enough that it still waits.
    private void Refuse(
        GatewayLedger gateway, SchemaId schema, string why, ReadOnlyMemory<byte> message, StoreCommit commit)
    {
        if (gateway.Schemas.IsRefused(schema))
        {
            return;
        }

        counters.SchemasRefused++;
        Keep(gateway, DeadLetterReason.Limit, why, message, commit);
        if (gateway.Schemas.Refuse(schema))
        {
            ProcessingLog.SchemaOverLimit(logger, gateway.Gateway.Value, why);
        }
    }

    private static void Keep(
        GatewayLedger gateway, DeadLetterReason reason, string why, ReadOnlyMemory<byte> message, StoreCommit commit) =>
        commit.DeadLetters.Add(new DeadLetterRow(gateway.Gateway, default, reason, why, 0, default, 0, message));
}

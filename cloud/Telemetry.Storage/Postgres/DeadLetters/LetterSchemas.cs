using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Ledger;

namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>The schemas of one gateway, read once for all of its letters that are retried together.</summary>
internal sealed class LetterSchemas(NpgsqlConnection connection, GatewayId gateway)
{
    private readonly GatewaySchemas _schemas = new(gateway);

    private Dictionary<SeriesIdentity, SeriesEntry>? _series;

    /// <summary>Returns a list of series; null when it is not registered.</summary>
    public async ValueTask<SeriesList?> FindAsync(SchemaId schema, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        return _schemas.Find(schema);
    }

    /// <summary>Returns a series of any of the lists; null when none has it.</summary>
    public async ValueTask<SeriesEntry?> FindAsync(SeriesIdentity series, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        _series ??= _schemas.Entries.DistinctBy(e => e.Identity).ToDictionary(e => e.Identity);
        return _series.GetValueOrDefault(series);
    }

    private async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        if (!_schemas.Loaded)
        {
            _schemas.Load(await FrameAndSchemaQueries.LoadSchemasAsync(connection, gateway, cancellationToken));
        }
    }
}

using Npgsql;
using Telemetry.Cloud.Ledger;
using Telemetry.Model;
using Telemetry.Model.Schemas;

namespace Telemetry.Cloud.Storage.Postgres.DeadLetters;

/// <summary>The schemas of one gateway, read once for all of its letters that are retried together.</summary>
internal sealed class LetterSchemas(NpgsqlConnection connection, GatewayId gateway)
{
    private readonly GatewaySchemas _schemas = new(gateway);

    /// <summary>A list of series; null when it is not registered.</summary>
    public async ValueTask<SeriesList?> FindAsync(SchemaId schema, CancellationToken cancellationToken)
    {
        if (!_schemas.Loaded)
        {
            _schemas.Load(await Lookups.LoadSchemasAsync(connection, gateway, cancellationToken));
        }

        return _schemas.Find(schema);
    }
}

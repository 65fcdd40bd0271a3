using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Commit;

/// <summary>Writes and reads the messages that wait for a schema.</summary>
internal sealed class WaitingStatements
{
    private const string LoadSql =
        "SELECT hash, log_stored, bytes FROM telemetry.waiting_message WHERE gateway = $1 AND needs = $2 ORDER BY id";

    private readonly RowsStatement _remove = new("""
        DELETE FROM telemetry.waiting_message w USING unnest($1, $2, $3) u(gateway, needs, hash)
        WHERE w.gateway = u.gateway AND w.needs = u.needs AND w.hash = u.hash
        """);

    private readonly RowsStatement _add = new("""
        INSERT INTO telemetry.waiting_message (gateway, needs, hash, log_stored, bytes, kept_at)
        SELECT gateway, needs, hash, log_stored, bytes, now()
        FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY u(gateway, needs, hash, log_stored, bytes, n) ORDER BY n
        ON CONFLICT (gateway, needs, hash) DO NOTHING
        """);

    private readonly List<string> _removedGateway, _gateway;
    private readonly List<byte[]> _removedNeeds, _needs, _bytes;
    private readonly List<long> _removedHash, _hash, _logStored;

    public WaitingStatements()
    {
        (_removedGateway, _removedNeeds, _removedHash) = (_remove.Texts(), _remove.Bytes(), _remove.Numbers());
        (_gateway, _needs, _hash) = (_add.Texts(), _add.Bytes(), _add.Numbers());
        (_logStored, _bytes) = (_add.Numbers(), _add.Bytes());
    }

    public void AddTo(NpgsqlBatch batch, StoreCommit commit)
    {
        _remove.Clear();
        _add.Clear();
        foreach (var id in commit.RemovedWaiting)
        {
            _removedGateway.Add(id.Gateway.Value);
            _removedNeeds.Add(ColumnValues.Bytes(id.Needs));
            _removedHash.Add((long)id.Hash);
        }

        foreach (var row in commit.Waiting)
        {
            _gateway.Add(row.Id.Gateway.Value);
            _needs.Add(ColumnValues.Bytes(row.Id.Needs));
            _hash.Add((long)row.Id.Hash);
            _logStored.Add(row.StoredAtNanos);
            _bytes.Add(row.Bytes.ToArray());
        }

        _remove.AddTo(batch);
        _add.AddTo(batch);
    }

    public static async Task<IReadOnlyList<WaitingRow>> LoadAsync(
        NpgsqlConnection connection, GatewayId gateway, SchemaId needs, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LoadSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = gateway.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(
            new NpgsqlParameter { Value = ColumnValues.Bytes(needs), NpgsqlDbType = NpgsqlDbType.Bytea });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<WaitingRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new WaitingRow(
                new WaitingId(gateway, needs, (ulong)reader.GetInt64(0)), reader.GetInt64(1),
                reader.GetFieldValue<byte[]>(2)));
        }

        return rows;
    }
}

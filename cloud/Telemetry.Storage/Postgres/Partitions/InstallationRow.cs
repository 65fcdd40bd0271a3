using System.Reflection;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;

namespace Telemetry.Storage.Postgres.Partitions;

/// <summary>The one row with the facts that were fixed at installation.</summary>
internal static class InstallationRow
{
    /// <summary>The version of the tables that introduced the row.</summary>
    public const int SinceVersion = 4;

    private const string FindSql = "SELECT id, partitions, generation FROM telemetry.installation";

    private const string SomeGatewaysSql = "SELECT gateway, partition FROM telemetry.gateway LIMIT 1000";

    private const string WriteSql = """
        INSERT INTO telemetry.installation
            (id, partitions, generation, made_at, made_by, changed_at, changed_by)
        VALUES ($1, $2, $3, now(), $4, now(), $4) ON CONFLICT DO NOTHING
        """;

    /// <summary>The program's version, as it is written into the row.</summary>
    public static string Version { get; } =
        typeof(InstallationRow).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion ?? "unknown";

    /// <summary>Returns the facts in the database; null before the first start.</summary>
    public static async Task<InstallationFacts?> FindAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(FindSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new InstallationFacts(reader.GetGuid(0), reader.GetInt32(1), reader.GetInt32(2))
            : null;
    }

    /// <summary>Returns the facts in the database, after writing them if there are none.</summary>
    public static async Task<InstallationFacts> InstallAsync(
        NpgsqlConnection connection, InstallationFacts proposed, CancellationToken cancellationToken)
    {
        if (await FindAsync(connection, cancellationToken) is { } found)
        {
            return found;
        }

        await CheckGatewaysAsync(connection, proposed, cancellationToken);
        await using (var command = new NpgsqlCommand(WriteSql, connection))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = proposed.Id, NpgsqlDbType = NpgsqlDbType.Uuid });
            command.Parameters.Add(
                new NpgsqlParameter { Value = proposed.Partitions, NpgsqlDbType = NpgsqlDbType.Integer });
            command.Parameters.Add(
                new NpgsqlParameter { Value = proposed.Generation, NpgsqlDbType = NpgsqlDbType.Integer });
            command.Parameters.Add(new NpgsqlParameter { Value = Version, NpgsqlDbType = NpgsqlDbType.Text });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        return await FindAsync(connection, cancellationToken)
            ?? throw new StoreException(
                "the installation's row was removed while it was written", isDataFault: false, mayHaveCommitted: false);
    }

    /// <summary>
    /// In a database that was filled before this row existed, the gateways' rows show the number of partitions; a first
    /// start with another number is refused here, because each gateway would refuse it.
    /// </summary>
    private static async Task CheckGatewaysAsync(
        NpgsqlConnection connection, InstallationFacts proposed, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SomeGatewaysSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (gateway, partition) = (GatewayId.Parse(reader.GetString(0)), reader.GetInt32(1));
            if (gateway.Partition(proposed.Partitions) != partition)
            {
                throw InstallationException.Filled(proposed.Partitions, gateway.Value, partition);
            }
        }
    }
}

using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Fleet;

namespace Telemetry.Storage.Postgres.Statements;

/// <summary>The sites that somebody may see as a parameter: null for all.</summary>
internal static class SiteParameter
{
    public static NpgsqlParameter Of(SiteLimit limit) => new()
    {
        Value = limit.Sites is { } sites ? sites.ToArray() : DBNull.Value,
        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
    };
}

using Npgsql;
using Telemetry.Storage.Postgres.Access;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.Storage.Postgres.DeadLetters;
using Telemetry.Storage.Postgres.Devices;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Windows;

namespace Telemetry.Storage.Postgres;

/// <summary>The database for the commands of operators, which work beside a cloud at work.</summary>
public sealed class OperatorDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    private OperatorDatabase(NpgsqlDataSource source) => _source = source;

    /// <summary>Describes, lists and moves devices.</summary>
    public DeviceTable Devices => new(_source);

    /// <summary>Lists and resolves forks.</summary>
    public ForkResolution Forks => new(_source);

    /// <summary>Reads dead letters.</summary>
    public DeadLetterReader DeadLetters => new(_source);

    /// <summary>Removes dead letters.</summary>
    public DeadLetterDiscard Discard => new(_source);

    /// <summary>Lists, retries and removes dead letters of webhooks.</summary>
    public WebhookDeadLetters WebhookDeadLetters => new(_source);

    /// <summary>Compares and lists the widths of windows.</summary>
    public WindowWidthQueries Widths => new(_source);

    /// <summary>Changes the users of the dashboard in the name of an operator.</summary>
    public UserTable Users(string operatorName) => new(_source, operatorName);

    /// <summary>
    /// Connects; throws <see cref="StoreException"/> when the tables have another version than this program's.
    /// </summary>
    public static async Task<OperatorDatabase> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var source = NpgsqlDataSource.Create(connectionString);
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            await MigrationRunner.CheckAsync(connection, migrate: false, cancellationToken);
            return new OperatorDatabase(source);
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stores dead letters again, as far as <paramref name="check"/> and the tables accept them.</summary>
    public DeadLetterRetry Retry(ReadingCheck check) => new(_source, check);

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}

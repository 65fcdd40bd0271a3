using Xunit;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// A test that needs nats-server: skipped with the reason where it is missing, but never with CI=true.
/// </summary>
public sealed class NatsFactAttribute : FactAttribute
{
    public NatsFactAttribute() => Skip = Missing.Nats;
}

/// <summary>As <see cref="NatsFactAttribute"/>, for theories.</summary>
public sealed class NatsTheoryAttribute : TheoryAttribute
{
    public NatsTheoryAttribute() => Skip = Missing.Nats;
}

/// <summary>
/// A test that needs PostgreSQL: skipped with the reason where it is missing, but never with CI=true.
/// </summary>
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = Missing.Postgres;
}

/// <summary>As <see cref="PostgresFactAttribute"/>, for theories.</summary>
public sealed class PostgresTheoryAttribute : TheoryAttribute
{
    public PostgresTheoryAttribute() => Skip = Missing.Postgres;
}

/// <summary>A test that needs mosquitto: skipped with the reason where it is missing, but never with CI=true.</summary>
public sealed class MosquittoFactAttribute : FactAttribute
{
    public MosquittoFactAttribute() => Skip = Missing.Mosquitto;
}

/// <summary>As <see cref="MosquittoFactAttribute"/>, for theories.</summary>
public sealed class MosquittoTheoryAttribute : TheoryAttribute
{
    public MosquittoTheoryAttribute() => Skip = Missing.Mosquitto;
}

/// <summary>
/// A test that needs a Kafka broker, with PostgreSQL or without: skipped with the reason where no Kafka is named, also
/// with CI=true, as nothing installs one. Where one is named it must start.
/// </summary>
public sealed class KafkaFactAttribute : FactAttribute
{
    public KafkaFactAttribute(bool postgres = false) => Skip = Missing.Kafka ?? (postgres ? Missing.Postgres : null);
}

/// <summary>As <see cref="KafkaFactAttribute"/>, for theories.</summary>
public sealed class KafkaTheoryAttribute : TheoryAttribute
{
    public KafkaTheoryAttribute() => Skip = Missing.Kafka;
}

/// <summary>
/// A test that needs Debian's prometheus-alertmanager and PostgreSQL: skipped with the reason where one is missing, but
/// never with CI=true for PostgreSQL.
/// </summary>
public sealed class AlertmanagerFactAttribute : FactAttribute
{
    public AlertmanagerFactAttribute() => Skip = Missing.Alertmanager ?? Missing.Postgres;
}

/// <summary>
/// A test that needs TimescaleDB in WebAssembly: skipped with the reason where it is missing, but never with CI=true.
/// </summary>
public sealed class TimescaleFactAttribute : FactAttribute
{
    public TimescaleFactAttribute() => Skip = Missing.Timescale;
}

/// <summary>As <see cref="TimescaleFactAttribute"/>, for theories.</summary>
public sealed class TimescaleTheoryAttribute : TheoryAttribute
{
    public TimescaleTheoryAttribute() => Skip = Missing.Timescale;
}

/// <summary>A theory on the TimescaleDB server that a variable names: skipped where it names none.</summary>
public sealed class NamedTimescaleTheoryAttribute : SkippableTheoryAttribute
{
    /// <summary>The variable: an Npgsql connection string of a user who may make databases.</summary>
    public const string Variable = "TELEMETRY_TEST_TIMESCALE";

    public NamedTimescaleTheoryAttribute() =>
        Skip = string.IsNullOrEmpty(ConnectionString) ? $"{Variable} names no server." : null;

    public static string? ConnectionString => Environment.GetEnvironmentVariable(Variable);
}

/// <summary>A test that needs several servers.</summary>
public sealed class ServersFactAttribute : FactAttribute
{
    public ServersFactAttribute(bool nats = false, bool postgres = false, bool mosquitto = false) =>
        Skip = (nats ? Missing.Nats : null) ?? (postgres ? Missing.Postgres : null)
            ?? (mosquitto ? Missing.Mosquitto : null);
}

/// <summary>As <see cref="ServersFactAttribute"/>, for theories.</summary>
public sealed class ServersTheoryAttribute : TheoryAttribute
{
    public ServersTheoryAttribute(bool nats = false, bool postgres = false, bool mosquitto = false) =>
        Skip = new ServersFactAttribute(nats, postgres, mosquitto).Skip;
}

/// <summary>
/// Why a test cannot run here; null when it can, or when it must (CI=true, a Kafka that is named) and shall fail if it
/// can't.
/// </summary>
internal static class Missing
{
    private static readonly bool MustRun = Environment.GetEnvironmentVariable("CI") == "true";

    public static string? Nats => Reason(NatsServer.Program, Programs.Find(NatsServer.Program));

    public static string? Postgres => Reason("PostgreSQL", Programs.FindPostgresFolder());

    public static string? Mosquitto => Reason(MosquittoServer.Program, Programs.Find(MosquittoServer.Program));

    public static string? Timescale => Reason("TimescaleDB in WebAssembly", TimescaleServer.FindProgram());

    public static string? Alertmanager => Reason(
        AlertmanagerServer.Program, Programs.Find(AlertmanagerServer.Program), mustRun: false);

    public static string? Kafka => KafkaReason(Environment.GetEnvironmentVariable(KafkaServer.Variable));

    internal static string? KafkaReason(string? folder) => string.IsNullOrEmpty(folder)
        ? $"No Kafka is named: {KafkaServer.Variable} is not set. Telemetry.Containers runs the sink's contract on one."
        : null;

    internal static string? Reason(string what, string? found) => Reason(what, found, MustRun);

    internal static string? Reason(string what, string? found, bool mustRun) =>
        found is not null || mustRun ? null
            : $"{what} is not installed; eng/install-servers.sh --tests does it.";
}

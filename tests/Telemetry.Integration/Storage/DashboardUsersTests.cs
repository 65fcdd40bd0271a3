using Telemetry.Cloud.Commands;
using Telemetry.Cloud.Commands.Users;
using Telemetry.Cloud.Configuration;
using Telemetry.Dashboard.Access;
using Telemetry.Storage.Access;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Access;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>Users by the command, and what ends their sessions.</summary>
public sealed class DashboardUsersTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private const string Password = "correct horse";

    private PostgresDatabase _database = null!;
    private DashboardUsers _users = null!;

    public async Task InitializeAsync()
    {
        _database = await PostgresDatabase.Create(fixture.ConnectionString);
        _users = new DashboardUsers(_database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await _users.DisposeAsync();
        await _database.DisposeAsync();
    }

    [ServersFact(postgres: true)]
    public async Task User_is_added_listed_and_removed_and_the_audit_has_it_without_the_password()
    {
        Assert.Equal((0, "anna: added\n"), await Run(Password, "add", "anna", "--role", "operator", "--site", "A"));
        Assert.Equal((1, "there is a user anna already\n"), await Run(Password, "add", "anna"));
        Assert.Equal((0, "anna              operator  enabled   A\n"), await Run("", "list"));
        Assert.Equal(1, await _users.CountAsync(default));
        var (user, password) = (await _users.FindAsync("anna", default))!.Value;
        Assert.Equal("anna Operator A", $"{user.Name} {user.Role} {string.Join(',', user.Sites)}");
        Assert.Equal(PasswordHash.RoundsOfNew, password.Rounds);
        Assert.True(password.Is(Password));
        Assert.False(password.Is("wrong"));

        Assert.Equal((0, "anna: removed\n"), await Run("", "remove", "anna"));
        Assert.Equal((1, "there is no user anna\n"), await Run("", "remove", "anna"));

        Assert.Equal(
            "user add anna operator, a;user remove anna ",
            await _database.Row(
                "SELECT string_agg(concat_ws(' ', act, note, detail), ';' ORDER BY id) FROM telemetry.operator_act"));
    }

    [ServersTheory(postgres: true)]
    [InlineData("disable")]
    [InlineData("remove")]
    [InlineData("password")]
    public async Task Session_ends_when_the_user_is_disabled_or_removed_or_gets_another_password(string verb)
    {
        await Run(Password, "add", "anna");
        var session = await Enter("anna");
        Assert.Equal("anna", (await _users.WhoseAsync(session, token: false, default))!.Name);
        Assert.Null(await _users.WhoseAsync(session, token: true, default));

        Assert.Equal(0, (await Run("another password", verb, "anna")).Code);

        Assert.Null(await _users.WhoseAsync(session, token: false, default));
        Assert.Equal("0", await _database.Row("SELECT count(*) FROM telemetry.dashboard_session"));
    }

    [ServersFact(postgres: true)]
    public async Task No_session_begins_with_a_password_that_was_changed_or_for_a_disabled_user()
    {
        await Run(Password, "add", "anna");
        var old = (await _users.FindAsync("anna", default))!.Value.Password;
        await Run("another password", "password", "anna");
        Assert.False(await Begin("anna", old));

        var now = (await _users.FindAsync("anna", default))!.Value.Password;
        await Run("", "disable", "anna");
        Assert.False(await Begin("anna", now));
        await Run("", "enable", "anna");
        Assert.True(await Begin("anna", now));
    }

    [ServersFact(postgres: true)]
    public async Task Session_ends_after_its_time_and_by_a_word()
    {
        await Run(Password, "add", "anna");
        var (one, other) = (await Enter("anna"), await Enter("anna"));
        await _users.EndAsync(one, default);
        Assert.Null(await _users.WhoseAsync(one, token: false, default));
        Assert.NotNull(await _users.WhoseAsync(other, token: false, default));

        await _database.Execute("UPDATE telemetry.dashboard_session SET until = now()");

        Assert.Null(await _users.WhoseAsync(other, token: false, default));
    }

    [ServersFact(postgres: true)]
    public async Task Token_is_printed_once_and_the_database_has_its_hash_alone()
    {
        await Run(Password, "add", "anna");
        var (code, text) = await Run("", "token", "anna", "--note", "a script", "--for", "30 d");
        Assert.Equal(0, code);
        var secret = text.Trim();

        Assert.Equal("anna", (await _users.WhoseAsync(SessionSecret.Hash(secret), token: true, default))!.Name);
        Assert.Null(await _users.WhoseAsync(SessionSecret.Hash(secret), token: false, default));
        Assert.Equal(
            "a script|30|0",
            await _database.Row($"""
                SELECT note, round(extract(epoch FROM until - now()) / 86400)::int,
                    count(*) FILTER (WHERE s::text LIKE '%{secret}%') FROM telemetry.dashboard_session s GROUP BY 1, 2
                """));

        await Run("", "disable", "anna");
        Assert.Null(await _users.WhoseAsync(SessionSecret.Hash(secret), token: true, default));
    }

    [ServersFact(postgres: true)]
    public async Task Readers_of_the_views_see_no_user_and_no_session()
    {
        Assert.Equal("False|False|False", await _database.Row("""
            SELECT has_table_privilege('telemetry_reader', 'telemetry.dashboard_user', 'SELECT'),
                has_table_privilege('telemetry_reader', 'telemetry.dashboard_session', 'SELECT'),
                has_table_privilege('telemetry_reader', 'telemetry.alert_act', 'SELECT')
            """));
    }

    private async Task<byte[]> Enter(string name)
    {
        var session = SessionSecret.Hash(SessionSecret.Create());
        var password = (await _users.FindAsync(name, default))!.Value.Password;
        Assert.True(await _users.BeginAsync(name, password, session, TimeSpan.FromHours(1), default));
        return session;
    }

    private Task<bool> Begin(string name, PasswordHash password) => _users.BeginAsync(
        name, password, SessionSecret.Hash(SessionSecret.Create()), TimeSpan.FromHours(1), default);

    private async Task<(int Code, string Text)> Run(string input, params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var settings = new CloudSettings
        {
            Database = new PostgresStoreOptions { ConnectionString = _database.ConnectionString },
        };
        var command = new UserCommand(settings, new CommandStreams(new StringReader(input), output, output));
        var code = await UserVerb.Create((arguments, _, stop) => command.RunAsync(arguments, stop))
            .Parse(words).InvokeAsync();
        return (code, output.ToString());
    }
}

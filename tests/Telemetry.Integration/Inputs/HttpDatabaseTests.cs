using System.Net;
using System.Net.Http.Headers;

namespace Telemetry.Integration.Inputs;

/// <summary>What clients of InfluxDB ask before they write, in the bytes that Telegraf and libraries send.</summary>
public sealed class HttpDatabaseTests
{
    private const string Created = """{"results":[{"statement_id":0}]}""";

    private const string NoDatabases =
        """{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"]}]}]}""";

    [Theory]
    [InlineData("POST", "/query?q=CREATE+DATABASE+%22telemetry%22", null, Created)]
    [InlineData("POST", "/query?db=", "q=CREATE+DATABASE+%22telegraf%22", Created)]
    [InlineData("POST", "/query?q=create%20database%20iobroker&db=", "", Created)]
    [InlineData("POST", "/query", "q=CREATE+DATABASE+a+WITH+DURATION+7d+REPLICATION+1+NAME+%22b%22%3B", Created)]
    [InlineData("GET", "/query?q=SHOW+DATABASES&db=", null, NoDatabases)]
    [InlineData("GET", "/query?q=show%20databases%3B", null, NoDatabases)]
    [InlineData("POST", "/query/", "q=SHOW+DATABASES", NoDatabases)]
    public async Task Statement_that_clients_begin_with_is_answered_as_by_an_empty_server(
        string method, string path, string? form, string answer)
    {
        await using var stand = await HttpStand.StartAsync();

        var (status, body, _) = await AskAsync(stand, method, path, form);

        Assert.Equal((HttpStatusCode.OK, answer), (status, body));
        Assert.Equal(1, stand.Answered(200));
    }

    [Theory]
    [InlineData("GET", "/query?q=SELECT+*+FROM+m", null)]
    [InlineData("POST", "/query", "q=DROP+DATABASE+a")]
    [InlineData("POST", "/query?q=CREATE+DATABASE+a%3B+DROP+DATABASE+a", null)]
    [InlineData("POST", "/query?q=CREATE+DATABASE", null)]
    [InlineData("GET", "/query", null)]
    public async Task Other_statement_is_refused_by_name(string method, string path, string? form)
    {
        await using var stand = await HttpStand.StartAsync();

        var (status, body, _) = await AskAsync(stand, method, path, form);

        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("nothing can be queried", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statement_of_a_stranger_is_refused()
    {
        await using var stand = await HttpStand.StartAsync();

        var (status, _, _) = await AskAsync(stand, "GET", "/query?q=SHOW+DATABASES", null, token: "wrong-token");

        Assert.Equal(HttpStatusCode.Unauthorized, status);
    }

    [Theory]
    [InlineData("GET", "/ping", null)]
    [InlineData("GET", "/query?q=SHOW+DATABASES", null)]
    [InlineData("POST", "/write", "m f=1")]
    [InlineData("GET", "/nowhere", null)]
    public async Task Every_answer_carries_a_version_number(string method, string path, string? body)
    {
        await using var stand = await HttpStand.StartAsync();

        var (_, _, headers) = await AskAsync(stand, method, path, body);

        Assert.Matches(@"^\d+\.\d+\.\d+$", Assert.Single(headers.GetValues("X-Influxdb-Version")));
    }

    private static async Task<(HttpStatusCode Status, string Body, HttpResponseHeaders Headers)> AskAsync(
        HttpStand stand, string method, string path, string? form, string token = HttpStand.Token)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Token", token);
        if (form is not null)
        {
            request.Content = new StringContent(form);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded");
        }

        using var answer = await stand.Client.SendAsync(request);
        return (answer.StatusCode, (await answer.Content.ReadAsStringAsync()).TrimEnd('\n'), answer.Headers);
    }
}
